/** One placement on the host page: its rule, its language, and what happens to it. */
import { hasModal, isTyping, page } from './here.js'
import { count, countDay, counted, fate, onDay, remember } from './memory.js'
import { hasBudget, isPlace, mayOpen } from './rules.js'
import { emit, facts, on } from './signals.js'
import { watch } from './triggers.js'

/** Say on the page what happens, and nothing about a person. */
function announce(placement, type, more) {
  const detail = { placement, type, ...more }
  document.dispatchEvent(new CustomEvent('jawoord', { detail }))
  emit(type, detail)
  window.dataLayer?.push?.({ event: 'jawoord_' + type, jawoord: detail })
}

/** Fetch the rule and act on it; a placement that is closed or unknown does nothing. */
export async function start(tag, shown) {
  const { origin, pathname } = new URL(tag.src)
  try {
    // An import needs no more of the shop's policy than its script-src; a fetch would.
    const { default: rule } = await import(`${origin}/p/${tag.dataset.placement}.js`)
    // A pinned loader keeps the frame it was made with.
    const part = pathname === '/embed.js' ? rule.frame : pathname.replace('embed', 'frame')
    if (rule.v === 1 && fate('') !== 'stopped') shown(rule.code, run(rule, { host: origin, part: origin + part, tag }))
  } catch { /* Nothing of ours may disturb the shop. */ }
}

function run(rule, { host, part, tag }) {
  const { code, shape, trigger = {}, budget } = rule
  const isTeaser = /bar|tab/.test(shape)
  const tell = (type, more) => announce(code, type, more)
  const suits = () => isPlace(rule.where, page())
  let frame
  let watching

  const hooks = {
    tell,
    closed() {
      if (facts.open === code) facts.open = ''
      if (shape !== 'tab') remember(code, 'closed')
      tell('closed')
    },
    done() {
      if (!fate('')) remember('', 'done')
      watching.rest()
      tell('submitted')
    },
    // The answer stays readable; what stops is every further offer in this session.
    stop: () => remember('', 'stopped'),
    press: () => open(true),
    blocked: () => watching.stop(),
  }

  const load = () => frame ??= import(part).then(({ make }) => make({ rule, host, tag, slot, hooks, facts }))

  function open(isWished) {
    const unfit = isTyping() || facts.open || !suits()
    const verdict = mayOpen(isWished, { past: fate(code), all: fate(''), busy: hasModal(), unfit })
    if (verdict !== true) return verdict
    // The button at the edge interrupts nobody, and so it costs nothing.
    const isOnlyShown = isTeaser && !isWished
    if (!isWished && !isTeaser) {
      if (!hasBudget(budget, counted('opened'), onDay())) return false
      count('opened')
      countDay()
    }
    watching.rest()
    if (!isOnlyShown) facts.open = code
    load().then((made) => isOnlyShown ? made.show() : made.open(isWished)).catch(() => { facts.open = '' })
    tell(isOnlyShown ? 'shown' : 'opened')
    return true
  }

  let slot
  if (shape === 'inline') {
    slot = document.createElement('jawoord-widget')
    slot.style.cssText = `display:block;min-height:${rule.height}px`
    tag.closest('body') ? tag.after(slot) : document.body.append(slot)
    load()
    tell('shown')
  }
  watching = watch(trigger, open)
  // A shop that swaps its pages may have swapped in its checkout.
  on('view', () => frame?.then((made) => made.suit?.(suits())))
  return { open: () => slot ? slot.scrollIntoView() : open(true), close: () => frame?.then((made) => made.close?.()) }
}

