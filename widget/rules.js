/** What may be shown, when and in which language: arithmetic without a page. */

/** Return the campaign's or placement's own language, else the first wish it speaks. */
export function chooseLanguage(rule, wishes) {
  const spoken = wishes.map((wish) => wish?.slice(0, 2).toLowerCase()).find((wish) => rule.languages.includes(wish))
  return rule.language || spoken || rule.languages[0]
}

/** Return whether a placement may open by itself on this page, for this visit. */
export function isPlace({ in: within, out, lang, visit, mail } = {}, page) {
  const fits = (pattern) => pattern && RegExp(pattern).test(page.url)
  return !(within && !fits(within) || fits(out) || page.kind === 'checkout'
    || lang && !lang.includes(page.lang) || visit && visit !== page.visit
    || page.mail && !mail)
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
