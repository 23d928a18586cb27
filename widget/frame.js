/**
 * The frame and what holds it: fetched when it is wanted. Everything is made by DOM
 * calls and constructed sheets, so a shop's policy needs neither unsafe-inline nor a
 * Trusted Types exception.
 */
import { chooseLanguage } from './language.js'
import { heightIn, isOurs, purposesIn } from './messages.js'

const CSS = `:host{all:initial;color-scheme:inherit;display:block;font:600 16px/1.3 system-ui,sans-serif}
:host([hidden]){display:none}
*{box-sizing:border-box}
dialog{position:fixed;inset:0;width:100%;height:100%;max-width:none;max-height:none;padding:16px;border:0;background:none;overscroll-behavior:contain}
dialog[open]{display:grid;place-items:center}
::backdrop{background:#0d0a08a8}
.panel{position:relative;width:100%;max-width:880px;border-radius:20px;background:Canvas;box-shadow:0 30px 80px -20px #000a;outline:2px solid #0000}
iframe{display:block;width:100%;height:min(var(--h),100dvh - 32px);border:0;border-radius:inherit}
.close{all:unset;position:absolute;z-index:1;top:10px;right:10px;width:44px;height:44px;border-radius:50%;background:#fffdf9;color:#1c1813;box-shadow:0 1px 6px #0005;cursor:pointer}
.close:focus-visible{outline:3px solid;outline-offset:-6px}
.close::before,.close::after{content:"";position:absolute;left:13px;top:21px;width:18px;border-top:2.5px solid;transform:rotate(45deg)}
.close::after{transform:rotate(-45deg)}
.slide{position:fixed;z-index:2147483000;right:20px;bottom:20px;width:min(420px,100% - 40px)}
.slide iframe{height:min(var(--h),100dvh - 120px)}
.slide .close{top:-14px;right:-14px}
.bar{position:fixed;z-index:2147483000;inset:auto 0 16px;display:flex;align-items:center;justify-content:space-between;gap:16px;width:fit-content;max-width:min(680px,100% - 24px);margin:auto;padding:12px 60px 12px 22px;border-radius:18px;background:Canvas;color:CanvasText;box-shadow:0 12px 40px -8px #0009,0 0 0 1px #8883}
.ask{all:unset;box-sizing:border-box;min-height:44px;padding:11px 18px;border-radius:12px;background:var(--a);color:var(--i);text-align:center;cursor:pointer}
.bar .ask{flex:none;max-width:60%}
.ask:focus-visible{outline:3px solid CanvasText;outline-offset:3px}
.bar .ask{flex:none;max-width:55%}
.bar .close{top:calc(50% - 22px);right:8px;background:none;color:inherit;box-shadow:none}
.tab{position:fixed;z-index:2147483000;right:0;top:50%;max-height:70dvh;min-width:44px;padding:18px 11px;border-radius:14px 0 0 14px;writing-mode:vertical-rl;box-shadow:0 4px 18px #0005;transform:translateY(-50%) rotate(180deg);border-radius:0 14px 14px 0}
[hidden]{display:none}
@media(max-width:600px){dialog[open]{padding:0;place-items:end}.panel{border-radius:20px 20px 0 0}.panel iframe{height:min(var(--h),100dvh - 64px)}dialog .close{top:-54px}.slide{right:0;bottom:0;width:100%}.slide.panel iframe{height:min(var(--h),64dvh)}.slide .close{top:-20px;right:10px}.bar{gap:10px;padding:12px 50px 12px 16px;font-size:15px}.bar .close{right:3px}.bar .ask{padding:11px 14px}}
@media(prefers-reduced-motion:no-preference){[open] .panel,.slide,.bar{animation:a .45s cubic-bezier(.2,.9,.25,1)}iframe{transition:height .25s}}
@media(forced-colors:active){.panel,.bar,.ask,.close{border:2px solid}}
@keyframes a{from{opacity:0;transform:translateY(40px)}}`

const LONGEST = 200
const ASKED = 'jawoord.asked'

const element_ = (name, more) => Object.assign(document.createElement(name), more)

/** Make the frame and its holder; return how to open and close it. */
export function make({ rule, host, tag, slot, hooks, facts }) {
  const { closed, done } = hooks
  const { height } = rule
  const language = chooseLanguage(rule, [tag.dataset.language, document.documentElement.lang, ...navigator.languages])
  const words = rule.words[language]
  const frame = element_('iframe', { title: words.title, allow: 'clipboard-write' })
  const before = askedBefore()
  // Asked for when it opens: an order may have come since.
  const fill = () => { if (!frame.src) frame.src = host + rule.url + '?' + wishes({ rule, language, tag, facts, before }) }
  // One extra question a visit: what stood there is not asked again (EM-02).
  const acted = (act) => {
    const next = rule.extras?.find((key) => !before.includes(key))
    if (next) remember([...before, next])
    act()
  }
  hooks = { ...hooks, closed: () => acted(closed), done: () => acted(done) }
  const holder = slot ? inSlot(frame, slot, height) : inShadow(frame, { rule, host, words, fill, hooks })
  const heard = {
    size: (message) => holder.grow(Math.max(heightIn(message), height)),
    close: () => holder.close?.(),
    played: () => hooks.tell('played'),
    won: () => hooks.tell('won'),
    step: ({ step }) => hooks.tell('step', { step: String(step).slice(0, 40) }),
    consent: (message) => hooks.tell('consent', { purposes: purposesIn(message), state: 'requested' }),
    done: () => hooks.done(),
    stop: () => hooks.stop(),
    end: () => holder.goRound?.(),
  }
  addEventListener('message', (event) => {
    if (isOurs(event, frame, host)) heard[event.data.type]?.(event.data)
  })
  frame.addEventListener('load', () => frame.contentWindow?.postMessage({ jawoord: 1, type: 'hello', isModal: !!holder.goRound }, host))
  document.addEventListener('securitypolicyviolation', function blocked(event) {
    if (event.disposition !== 'enforce' || event.effectiveDirective !== 'frame-src' || !event.blockedURI.startsWith(host)) return
    document.removeEventListener('securitypolicyviolation', blocked)
    holder.close?.()
    holder.element.remove()
    hooks.blocked()
    console.warn(`Jawoord: add ${host} to frame-src of the Content-Security-Policy`)
  })
  // No page is drawn before the styles in its head, and they say whether it is dark.
  if (slot) requestAnimationFrame(fill)
  return holder
}

/** Return what the game has to know of the page around it. */
function wishes({ rule, language, tag, facts, before }) {
  const wish = new URLSearchParams({ lang: language, page: location.origin + location.pathname })
  // A shop that knows no night gets a light card, whatever the visitor's system says.
  if (!getComputedStyle(document.documentElement).colorScheme.includes('dark')) wish.set('scheme', 'light')
  if (rule.extras && before.length) wish.set('asked', before)
  rule.hidden?.forEach(([key, from]) => {
    const value = told(from, { tag, facts })
    if (value) wish.set('h.' + key, String(value).slice(0, LONGEST))
  })
  return wish
}

/** Return the extra questions that this visitor has closed or answered by now. */
function askedBefore() {
  try {
    return sessionStorage.getItem(ASKED)?.split(',') ?? []
  } catch {
    return []
  }
}

function remember(keys) {
  try {
    sessionStorage.setItem(ASKED, keys)
  } catch { /* Then it is asked once more. */ }
}

/** Return what the page itself tells: by its query, the tag's data, its order or path. */
function told(from, { tag, facts }) {
  const [kind, name] = from.split(':')
  if (kind === 'query') return new URLSearchParams(location.search).get(name)
  if (kind === 'data') return tag.dataset[name]
  return kind === 'order' ? facts.order?.[name] : location.pathname
}

/** Hold the frame in the flow of the page, its height reserved before it loads. */
function inSlot(frame, element, height) {
  frame.style.cssText = `display:block;width:100%;height:${height}px;border:0;border-radius:20px`
  frame.loading = 'lazy'
  element.append(frame)
  return { element, grow: (wanted) => { frame.style.height = `${wanted}px` } }
}

/** Hold it over the page: a dialog, a panel in the corner, or a button that opens one. */
function inShadow(frame, { rule, host, words, fill, hooks }) {
  const isModal = rule.shape !== 'slide'
  const element = element_('jawoord-widget')
  const shadow = element.attachShadow({ mode: 'open' })
  const sheet = new CSSStyleSheet()
  const panel = element_('div', { className: 'panel', tabIndex: -1 })
  const button = element_('button', { type: 'button', className: 'close', ariaLabel: words.close })
  const box = isModal ? element_('dialog', { ariaLabel: words.title }) : panel
  const teaser = makeTeaser(rule, words, { press: hooks.press, leave })
  const backFromPanel = wayBack(panel)
  const backFromTeaser = teaser && wayBack(teaser)
  let isOpen = false

  sheet.replaceSync(CSS)
  shadow.adoptedStyleSheets = [sheet]
  button.part = 'close'
  panel.append(button, frame)
  if (isModal) box.append(panel)
  else {
    panel.classList.add('slide')
    panel.role = 'region'
    panel.ariaLabel = words.title
    panel.hidden = true
  }
  shadow.append(box, ...(teaser ? [teaser] : []))
  const grow = (wanted) => panel.style.setProperty('--h', `${wanted}px`)
  grow(rule.height)

  /** Once, and in the act: a page that is left at once must not forget it. */
  function left() {
    if (!isOpen) return
    isOpen = false
    element.removeAttribute('open')
    // What the focus goes back to has to be there by then.
    if (teaser) teaser.hidden = rule.shape !== 'tab'
    hooks.closed()
  }

  /** Take the line of a bar away, unopened. */
  function leave() {
    const hadFocus = document.activeElement === element
    teaser.hidden = true
    hooks.closed()
    if (hadFocus) backFromTeaser()
  }

  function close() {
    if (!isOpen) return rule.shape === 'bar' && !teaser.hidden ? leave() : undefined
    const hadFocus = document.activeElement === element
    left()
    if (isModal) return box.close()
    panel.hidden = true
    if (hadFocus) backFromPanel()
  }

  button.onclick = close
  if (isModal) {
    box.oncancel = left
    box.onclose = () => {
      left()
      // The browser leads the focus back to what opened it; of a bar that is gone.
      if (teaser?.hidden) backFromTeaser()
    }
    box.onclick = ({ target }) => { if (target === box) close() }
    // The other way round, from the button to the end of the page in the frame.
    button.onkeydown = (event) => {
      if (event.key !== 'Tab' || !event.shiftKey) return
      event.preventDefault()
      frame.focus()
      frame.contentWindow.postMessage({ jawoord: 1, type: 'last' }, host)
    }
  } else panel.onkeydown = ({ key }) => { if (key === 'Escape') close() }

  /** A shop that swaps its pages may have thrown us out, open as we were. */
  function attach() {
    if (element.isConnected) return
    if (isModal) box.open = false
    document.body.append(element)
  }

  return {
    element,
    grow,
    close,
    goRound: isModal && (() => button.focus()),
    /** Nothing stands by itself where it may not; what the visitor opened stays. */
    suit(isFit) {
      element.hidden = !isFit && !element.hasAttribute('open')
    },
    show() {
      attach()
      teaser.hidden = false
    },
    open(isWished) {
      fill()
      attach()
      element.hidden = false
      isOpen = true
      if (isModal) {
        element.setAttribute('open', '')
        box.showModal()
        panel.focus()
      } else {
        panel.hidden = false
        // Who did not ask for it keeps the focus where it is.
        if (isWished) panel.focus()
      }
      if (teaser) teaser.hidden = true
    },
  }
}

/** Return how to give the focus back to where it was before it came in here. */
function wayBack(box) {
  let before
  box.addEventListener('focusin', ({ relatedTarget }) => {
    if (relatedTarget && relatedTarget.getRootNode() !== box.getRootNode()) before = relatedTarget
  })
  return () => { if (before?.isConnected) before.focus() }
}

/** Make the button of a tab or the line of a bar; nothing for the other shapes. */
function makeTeaser({ shape, colours }, words, { press, leave }) {
  if (shape !== 'bar' && shape !== 'tab') return undefined
  const ask = element_('button', { type: 'button', className: 'ask', textContent: shape === 'tab' ? words.title : words.play, onclick: press })
  ask.style.setProperty('--a', colours[0])
  ask.style.setProperty('--i', colours[1])
  ask.hidden = shape === 'tab'
  if (shape === 'tab') {
    ask.classList.add('tab')
    return ask
  }
  const bar = element_('div', { className: 'bar', role: 'region', ariaLabel: words.title, hidden: true })
  const close = element_('button', { type: 'button', className: 'close', ariaLabel: words.close, onclick: leave })
  bar.onkeydown = ({ key }) => { if (key === 'Escape') leave() }
  bar.append(element_('span', { textContent: words.title }), ask, close)
  return bar
}
