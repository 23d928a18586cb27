/**
 * The frame and what holds it. Everything is made by DOM calls and constructed sheets,
 * so a shop's policy needs neither unsafe-inline nor a Trusted Types exception.
 */

const CSS = `:host{all:initial;color-scheme:inherit;display:block}
dialog{box-sizing:border-box;position:fixed;inset:0;width:100%;height:100%;max-width:none;max-height:none;padding:16px;border:0;background:none;overscroll-behavior:contain}
dialog[open]{display:grid;place-items:center}
::backdrop{background:#0d0a08a8}
div{position:relative;width:100%;max-width:880px;border-radius:20px;background:Canvas;box-shadow:0 30px 80px -20px #000a;outline:2px solid #0000}
iframe{display:block;width:100%;height:min(var(--h),100dvh - 32px);border:0;border-radius:inherit}
button{all:unset;position:absolute;z-index:1;top:10px;right:10px;width:44px;height:44px;border-radius:50%;background:#fffdf9;color:#1c1813;box-shadow:0 1px 6px #0005;cursor:pointer}
button:focus-visible{outline:3px solid #1c1813;outline-offset:-6px}
button::before,button::after{content:"";position:absolute;left:13px;top:21px;width:18px;border-top:2.5px solid;transform:rotate(45deg)}
button::after{transform:rotate(-45deg)}
@media(max-width:600px){dialog[open]{padding:0;place-items:end}div{border-radius:20px 20px 0 0}iframe{height:min(var(--h),100dvh - 64px)}button{top:-54px}}
@media(prefers-reduced-motion:no-preference){[open] div{animation:a .45s cubic-bezier(.2,.9,.25,1)}iframe{transition:height .25s}}
@keyframes a{from{opacity:0;transform:translateY(40px)}}`
const QUIET_MS = 3000

const make = (name, more) => Object.assign(document.createElement(name), more)

/** Return the frame, not yet loading: its address is asked for when it is shown. */
export function makeFrame(address, title) {
  return Object.assign(make('iframe', { title, allow: 'clipboard-write' }), { address })
}

/** Hold the frame in the flow of the page, its height reserved before it loads. */
export function makeSlot(frame, height) {
  const element = make('jawoord-widget')
  element.style.cssText = `display:block;min-height:${height}px`
  frame.style.cssText = `display:block;width:100%;height:${height}px;border:0;border-radius:20px`
  frame.loading = 'lazy'
  element.append(frame)
  // No frame is drawn before the styles in the shop's head are there.
  requestAnimationFrame(() => { frame.src = frame.address() })
  return {
    element,
    grow: (wanted) => { frame.style.height = `${Math.max(wanted, height)}px` },
  }
}

/** Hold the frame in a modal dialog of the browser, which keeps focus and Esc for us. */
export function makeDialog(frame, height, { words, closed }) {
  const element = make('jawoord-widget')
  const dialog = make('dialog', { ariaLabel: words.title })
  const panel = make('div', { tabIndex: -1 })
  const button = make('button', { type: 'button', ariaLabel: words.close })
  const sheet = new CSSStyleSheet()
  const shadow = element.attachShadow({ mode: 'open' })
  const grow = (wanted) => panel.style.setProperty('--h', `${Math.max(wanted, height)}px`)
  let typed = -QUIET_MS

  sheet.replaceSync(CSS)
  shadow.adoptedStyleSheets = [sheet]
  button.part = 'close'
  panel.append(button, frame)
  dialog.append(panel)
  shadow.append(dialog)
  document.addEventListener('input', (event) => { typed = event.timeStamp })
  button.onclick = () => dialog.close()
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close() }
  dialog.onclose = () => {
    element.removeAttribute('open')
    closed()
  }

  return {
    element,
    grow,
    close: () => dialog.close(),
    open() {
      grow(0)
      frame.src ||= frame.address()
      // A shop that swaps its pages may have thrown us out, open as we were.
      if (!element.isConnected) {
        dialog.open = false
        document.body.append(element)
      }
      element.setAttribute('open', '')
      dialog.showModal()
      panel.focus()
    },
    hostState: () => ({ hasModal: hasModal(), isTyping: performance.now() - typed < QUIET_MS }),
  }
}

function hasModal() {
  return [...document.querySelectorAll(':modal,[aria-modal=true],jawoord-widget[open]')].some((each) => each.checkVisibility?.() ?? true)
}

/** Act once when the shop's policy refuses our frame. */
export function whenBlocked(host, act) {
  document.addEventListener('securitypolicyviolation', function blocked(event) {
    if (event.disposition !== 'enforce' || event.effectiveDirective !== 'frame-src' || !event.blockedURI.startsWith(host)) return
    document.removeEventListener('securitypolicyviolation', blocked)
    act()
  })
}
