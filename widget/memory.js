/** What is remembered until the tab closes, and only after the visitor said so (EM-02). */

const NAME = 'jawoord.'
// Where storage is refused, the page itself remembers.
const kept = {}

/** Keep a fact about a placement, or about all of them under an empty code. */
export function remember(code, fact) {
  kept[code] = fact
  try {
    sessionStorage.setItem(NAME + code, fact)
  } catch { /* A policy of the browser; nothing is lost but comfort. */ }
}

function recall(code) {
  try {
    return sessionStorage.getItem(NAME + code) || kept[code]
  } catch {
    return kept[code]
  }
}

export const isClosed = (code) => Boolean(recall(code))
export const isStopped = () => Boolean(recall(''))
