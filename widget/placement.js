/** One placement on the host page: its rule, its language, and what happens to it. */
import { heightIn, isOurs } from './messages.js'
import { makeDialog, makeFrame, makeSlot, whenBlocked } from './frame.js'
import { chooseLanguage, mayOpen } from './rules.js'
import { isClosed, isStopped, remember } from './memory.js'
import { watch } from './triggers.js'

/** Fetch the rule and act on it; a placement that is closed or unknown does nothing. */
export async function start(tag) {
  const host = new URL(tag.src).origin
  const code = tag.dataset.placement
  try {
    // An import needs no more of the shop's policy than its script-src; a fetch would.
    const { default: rule } = await import(`${host}/p/${code}.js`)
    if (rule.v === 1 && !isStopped()) run(rule, { host, tag })
  } catch { /* Nothing of ours may disturb the shop. */ }
}

function run(rule, { host, tag }) {
  const root = document.documentElement
  const language = chooseLanguage(rule, [tag.dataset.language, root.lang, ...navigator.languages])
  const words = rule.words[language]
  const page = encodeURIComponent(location.origin + location.pathname)
  // A shop that knows no night gets a light card, whatever the visitor's system says.
  // Asked when the frame is shown: before, the shop's own style may still be on its way.
  const address = () => `${host}${rule.url}?lang=${language}&page=${page}${getComputedStyle(root).colorScheme.includes('dark') ? '' : '&scheme=light'}`
  const frame = makeFrame(address, words.title)
  const isDialog = rule.shape === 'dialog'
  const part = isDialog ? makeDialog(frame, rule.height, { words, closed }) : makeSlot(frame, rule.height)
  const tell = (type) => document.dispatchEvent(new CustomEvent('jawoord', { detail: { placement: rule.code, type } }))

  function closed() {
    remember(rule.code, 'closed')
    tell('closed')
  }

  let stops = []
  const heard = {
    size: (message) => part.grow(heightIn(message)),
    close: () => part.close?.(),
    played: () => tell('played'),
    done: () => tell('submitted'),
    // The answer stays readable; what stops is every further offer in this session.
    stop: () => remember('', 'stopped'),
  }
  addEventListener('message', (event) => {
    if (isOurs(event, frame, host)) heard[event.data.type]?.(event.data)
  })
  frame.addEventListener('load', () => frame.contentWindow?.postMessage({ jawoord: 1, type: 'hello' }, host))
  whenBlocked(host, () => {
    stops.forEach((stop) => stop())
    part.element.remove()
    console.warn(`Jawoord: add ${host} to frame-src of the Content-Security-Policy`)
  })

  if (!isDialog) {
    if (tag.closest('body')) tag.after(part.element)
    else document.body.append(part.element)
    return tell('shown')
  }
  const { delay, press } = watch(rule.trigger, (how) => {
    const now = mayOpen(how, { isClosed: isClosed(rule.code), isStopped: isStopped() }, part.hostState())
    if (now === true) {
      delay()
      part.open()
      tell('opened')
    }
    return now
  })
  stops = [delay, press]
}
