/**
 * What is remembered until the tab closes, and only after the visitor said so (EM-02).
 * With the page's word that it may, also what was merely shown, and for a day.
 */

const NAME = 'jawoord.'
// Where storage is refused, the page itself remembers.
const kept = {}
let mayKeep = false

function recall(name, store = 'sessionStorage') {
  try {
    return window[store].getItem(NAME + name) || kept[name]
  } catch {
    return kept[name]
  }
}

function keep(name, fact, store = 'sessionStorage') {
  kept[name] = fact
  try {
    window[store].setItem(NAME + name, fact)
  } catch { /* A policy of the browser; nothing is lost but comfort. */ }
}

/** Take the page's word on whether more may be kept than what the visitor did. */
export const allow = (isAllowed) => { mayKeep = isAllowed === true }

/**
 * Keep that a placement was closed; under an empty code `done` or `stopped`, for all.
 * Who closed what opened by itself is asked no second time by another one (CR-08), so
 * what was spent is kept with it.
 */
export function remember(code, fact) {
  keep(code, fact)
  if (counted('opened')) keep('#opened', counted('opened'))
}

export const fate = (code) => recall(code)

/** Return how many of something there were: in this page, or longer where that may be. */
export const counted = (name) => +recall('#' + name) || 0

/** Count one more. No visitor did that, so it is kept only where that may be. */
export function count(name) {
  kept['#' + name] = counted(name) + 1
  if (mayKeep) keep('#' + name, kept['#' + name])
}

const today = () => new Date().toDateString()

/** Return how often something opened today, as far as that may be known. */
export function onDay() {
  const [day, times] = mayKeep && recall('day', 'localStorage')?.split('|') || []
  return day === today() ? +times : 0
}

export function countDay() {
  if (mayKeep) keep('day', today() + '|' + (onDay() + 1), 'localStorage')
}
