/**
 * When a placement opens. Each trigger takes what to call and how it is set, and
 * returns its own stop function. Nothing is stored and nothing is sent (EM-03).
 */
import { counted } from './memory.js'
import { facts, on } from './signals.js'

// A leave that turns round within this time was none.
const GRACE_MS = 120
// Who has only just come is not leaving.
const ARMED_MS = 2000
const AWAY_MS = 15000
const TOUCH_IDLE_S = 20
const READ_PX = 800
const FLICK_PX = 400
const FLICK_MS = 500
// A finger's swing still moves the page for a moment after it let go.
const SWING_MS = 1000
const SEEN = 'visibilitychange'
const FIELD = 'input,select,textarea,[contenteditable]'
const html = document.documentElement

/** Return one function that stops all. */
const together = (stops) => () => stops.forEach((stop) => stop())

/** Listen to several events at once; return how to stop. */
function listen(target, types, hear) {
  return together(types.split(' ').map((type) => {
    target.addEventListener(type, hear)
    return () => target.removeEventListener(type, hear)
  }))
}

/** Fire when for a while none of these events came; who uses what is named is waited for. */
function wait(fire, seconds, types = SEEN, use) {
  let timer
  const cancel = () => clearTimeout(timer)
  const arm = () => {
    cancel()
    // A page in the background, or made ready beforehand, is told when it is seen.
    if (!document.hidden) timer = setTimeout(() => use && document.activeElement?.matches(use) ? arm() : fire(), seconds * 1000)
  }
  arm()
  return together([cancel, listen(window, types, arm)])
}

/** Fire after so many seconds in which the page is seen; hidden ones do not count. */
export const afterDelay = (fire, seconds) => wait(fire, seconds)

/** Fire when nothing was moved, pressed or typed for a while; a field in use is use. */
export const onIdle = (fire, seconds) => wait(fire, seconds, SEEN + ' pointermove pointerdown keydown scroll touchmove', FIELD)

/** Fire when the pointer leaves through the top edge, with nothing held or open. */
export function onExit(fire) {
  let timer
  let armed
  const rest = (isNeeded) => { if (isNeeded) armed = performance.now() + ARMED_MS }
  rest(true)
  return together([
    listen(html, 'mouseleave', (event) => {
      const { clientX: x } = event
      if (event.relatedTarget || event.clientY > 0 || x < 0 || x > innerWidth || event.buttons || performance.now() < armed) return
      if (!document.activeElement?.matches('select')) timer = setTimeout(fire, GRACE_MS)
    }),
    listen(html, 'mouseenter', () => clearTimeout(timer)),
    // What was dragged out and let go there is followed by a leave of its own.
    listen(html, 'mouseup', ({ clientY }) => rest(clientY < 0)),
    // A page out of the browser's memory has only just come, too.
    listen(window, 'pageshow', ({ persisted }) => rest(persisted)),
  ])
}

/** Fire when a finger throws the page up again, after it was read for a while. */
export function onFlick(fire) {
  let from = scrollY
  let deepest = from
  let moved = -SWING_MS
  let lately = []
  return together([
    // A tap may make the page jump, however the finger trembled.
    listen(document, 'touchmove click', ({ type }) => { moved = type === 'click' ? -SWING_MS : performance.now() }),
    listen(document, 'scroll', () => {
      const now = performance.now()
      // A jump that no finger made starts the reading anew.
      if (now - moved > SWING_MS) [from, deepest, lately] = [scrollY, scrollY, []]
      deepest = Math.max(deepest, scrollY)
      lately = [...lately.filter(([when]) => now - when < FLICK_MS), [now, scrollY]]
      const up = Math.max(...lately.map(([, y]) => y)) - scrollY
      if (deepest - from >= READ_PX && up >= FLICK_PX) fire()
    }),
  ])
}

/** Fire when somebody comes back to this tab after a while elsewhere. */
export function onReturn(fire) {
  let left
  return listen(document, SEEN, () => {
    const now = Date.now()
    if (document.hidden) left = now
    else if (now - left > AWAY_MS) fire()
  })
}

/** Fire when so much of the page was seen. */
export function onDepth(fire, percent) {
  const look = () => {
    // A page that cannot be scrolled gives no number, which is no depth.
    if (scrollY / (html.scrollHeight - innerHeight) * 100 >= percent) fire()
  }
  return listen(document, 'scroll', look)
}

/** Fire on an event of that name: of the document, of our call, or of the data layer. */
export function onEvent(fire, name) {
  let seen = 0
  const timer = setInterval(() => {
    const layer = window.dataLayer
    for (; seen < layer?.length; seen++) if (layer[seen]?.event === name) fire()
  }, 500)
  return together([
    () => clearInterval(timer), listen(document, name, fire), on('event', (said) => { if (said === name) fire() }),
  ])
}

/** Fire as soon as what the page told fits, now or later. */
function onFact(fire, name, isEnough) {
  const look = () => { if (isEnough(facts[name])) fire() }
  setTimeout(look)
  return on(name, look)
}

/** Fire on a press of what the selector names, also when it comes into the page later. */
export const onPress = (fire, selector) => listen(document, 'click', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return
  if (event.target.closest?.(selector) && fire() === true) event.preventDefault()
})

const TOUCH = { flick: onFlick, return: onReturn, idle: (fire) => onIdle(fire, TOUCH_IDLE_S) }
// What is over in its moment comes first; the rest, once true, stays true.
const MOMENTS = {
  exit: (fire, ways) => matchMedia('(hover:none)').matches ? together(ways.map((way) => TOUCH[way](fire))) : onExit(fire),
  event: onEvent,
}
const STATES = {
  delay: afterDelay,
  scroll: onDepth,
  idle: onIdle,
  views: (fire, [kind, least]) => onFact(fire, 'view', () => counted(kind) >= least),
  basket: (fire, [items, least, most = Infinity]) => onFact(fire, 'basket', (held) => held?.items >= items && held.cents >= least && held.cents <= most),
  order: (fire) => onFact(fire, 'order', Boolean),
}

/** Arm what the rule names, alone or together; `open` says whether it did. */
export function watch({ all, click, ...rule }, open) {
  const wanted = Object.keys(rule)
  const met = {}
  let again
  const attempt = (name) => {
    met[name] = true
    const isReady = !all || wanted.every((each) => met[each])
    met[name] = !MOMENTS[name]
    if (!isReady) return
    clearTimeout(again)
    // A moment that did not suit is gone; what stays true asks again.
    if (open() === 'later' && met[name]) again = setTimeout(attempt, 1000, name)
  }
  const rest = together([
    () => clearTimeout(again), ...wanted.map((name) => (MOMENTS[name] ?? STATES[name])(() => attempt(name), rule[name])),
  ])
  return { rest, stop: together([rest, click ? onPress(() => open(true), click) : rest]) }
}
