/** The page we stand on, asked whenever it matters: shops swap their pages. */
import { count } from './memory.js'
import { emit, facts, on } from './signals.js'

const QUIET_MS = 3000
const shell = document.documentElement
let typed = -QUIET_MS
// From another page of the same shop: then this is no new visit.
const visit = document.referrer.startsWith(location.origin + '/') ? 'returning' : 'new'
// Where somebody came from: the next page of a shop is told the one before.
const entry = location.search + '&' + document.referrer

/** Return what the page says of itself in a data attribute, wherever it stands. */
export const said = (name) => document.querySelector(`[data-jawoord-${name}]`)?.getAttribute('data-jawoord-' + name)

/** Return the page as the rules look at it. */
export const page = () => ({
  url: location.pathname + location.search, lang: shell.lang.slice(0, 2), kind: facts.page || said('page'), visit, entry,
})

export const isTyping = () => performance.now() - typed < QUIET_MS

/** Return whether a dialog is open, the shop's or ours. */
export const hasModal = () =>
  [...document.querySelectorAll(':modal,[aria-modal=true],jawoord-widget[open]')].some((each) => each.checkVisibility?.() ?? true)

function look() {
  count('any')
  facts.page = ''
  emit('view', said('page'))
}

/** Count the pages that are looked at, also those that a shop swaps in. */
export function follow() {
  document.addEventListener('input', (event) => { typed = event.timeStamp })
  on('view', (kind) => {
    if (!kind) return
    facts.page = kind
    count(kind)
  })
  // A jump within the page is no other page, unless the shop makes pages of such jumps.
  const address = () => location.href.replace(/#(?![!/]).*/, '')
  let now = address()
  const moved = () => {
    if (address() === now) return
    now = address()
    // The shop's script has yet to put the new page in.
    setTimeout(look, 50)
  }
  if (window.navigation) navigation.addEventListener('currententrychange', moved)
  else setInterval(moved, 500)
  look()
  const [cents, items = 1] = said('basket')?.split(' ') ?? []
  if (cents) emit('basket', { cents: +cents, items: +items })
  const reference = said('order')
  if (reference) emit('order', { reference, amount: said('amount') })
}
