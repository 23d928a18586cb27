/**
 * The tablet at the till: a fresh frame for each person, and nothing left of the last.
 * The game is our own page, so its frame can be watched for touches; throwing the
 * frame away takes its page, its fields and its memory with it.
 */
import { judge } from './idle.js'

const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'input', 'scroll', 'wheel']
const TICK_MS = 500
// Who is too young reads why the game stops; then the next person is let in.
const READ_MS = 8000
const find = (selector) => document.querySelector(selector)
const [attract, playing, place, still, said] = ['#attract', '#playing', '#game', '#still', '#said'].map(find)
let frame
let clock
let last = 0

const touch = () => {
  last = performance.now()
  ask(false)
}

function ask(open, left) {
  if (open) find('[data-left]').textContent = left
  if (still.hidden !== open) return
  still.hidden = !open
}

/** Begin with a frame that nobody has used. */
function start(address) {
  wipe()
  frame = Object.assign(document.createElement('iframe'), { src: address, title: document.body.dataset.title })
  frame.addEventListener('load', watch)
  place.append(frame)
  attract.hidden = true
  playing.hidden = false
  touch()
  clock = setInterval(tick, TICK_MS)
  frame.focus()
  // A browser that allows it hides its own bars; one that does not plays all the same.
  document.documentElement.requestFullscreen?.().catch(() => {})
}

function watch() {
  const inside = frame.contentDocument
  TOUCHES.forEach((type) => inside.addEventListener(type, touch, { capture: true, passive: true }))
  frame.contentWindow.postMessage({ jawoord: 1, type: 'hello' }, location.origin)
}

function tick() {
  const { act, left } = judge((performance.now() - last) / 1000)
  if (act === 'wipe') wipe(said.dataset.wiped)
  else ask(act === 'ask', left)
}

/** Leave nothing: not in the page, not in a field, not behind the back button. */
function wipe(words = '') {
  clearInterval(clock)
  ask(false)
  if (!frame) return
  frame.remove()
  frame = undefined
  playing.hidden = true
  attract.hidden = false
  said.textContent = words
  find('h1').focus()
  scrollTo(0, 0)
}

function hear({ source, origin, data }) {
  if (!frame || source !== frame.contentWindow || origin !== location.origin || data?.jawoord !== 1) return
  if (data.type === 'close') wipe()
  const { contentWindow } = frame
  if (data.type === 'stop') setTimeout(() => { if (frame?.contentWindow === contentWindow) wipe() }, READ_MS)
}

function press({ target }) {
  const button = target.closest?.('[data-start], [data-wipe], [data-stay]')
  if (!button) return
  if (button.dataset.start) start(button.dataset.start)
  else if ('wipe' in button.dataset) wipe(said.dataset.wiped)
  else {
    touch()
    frame?.focus()
  }
}

addEventListener('message', hear)
addEventListener('click', press)
TOUCHES.forEach((type) => addEventListener(type, () => { if (frame) touch() }, { capture: true, passive: true }))
// A page that comes back from the browser's memory must not bring anybody back.
addEventListener('pageshow', ({ persisted }) => { if (persisted) wipe() })
addEventListener('pagehide', () => wipe())
