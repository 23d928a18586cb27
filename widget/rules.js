/** What may be shown and when: arithmetic without a page. */

/** Return whether a placement may open by itself on this page, for this visit. */
export function isPlace({ in: within, out, lang, visit, mail } = {}, page) {
  const fits = (pattern, address = page.url) => pattern && RegExp(pattern, 'i').test(address)
  return !(within && !fits(within) || fits(out) || fits(mail, page.entry) || page.kind === 'checkout'
    || lang && !lang.includes(page.lang) || visit && visit !== page.visit)
}

/**
 * Return whether a placement may open now: true, false, or 'later' when the page is
 * busy. A press is the visitor's wish; all else has to fit the page and the past: of
 * this placement, and of `all`.
 */
export function mayOpen(isWished, { past, all, busy, unfit }) {
  if (all === 'stopped' || !isWished && (all || past)) return false
  return busy || !isWished && unfit ? 'later' : true
}

/** Return whether there is budget left; a budget that is not counted is not spent. */
export const hasBudget = ([session, day], opened, today) => opened < session && today < day
