/** What may be shown, when and in which language: arithmetic without a page. */

/** Return the campaign's or placement's own language, else the first wish it speaks. */
export function chooseLanguage(rule, wishes) {
  const spoken = wishes.map((wish) => wish?.slice(0, 2).toLowerCase()).find((wish) => rule.languages.includes(wish))
  return rule.language || spoken || rule.languages[0]
}

/**
 * Return whether a dialog may open now: true, false, or 'later' when the page is busy.
 * A press on the shop's own button is a wish; a closed offer does not come back by itself.
 */
export function mayOpen(how, { isClosed, isStopped }, { hasModal, isTyping }) {
  if (isStopped || (how !== 'click' && isClosed)) return false
  if (hasModal || (how !== 'click' && isTyping)) return 'later'
  return true
}
