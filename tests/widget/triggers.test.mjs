import assert from 'node:assert/strict'
import { beforeEach, mock, test } from 'node:test'

class Target extends EventTarget {
  hidden = false
  scrollHeight = 3000
  activeElement = { matches: () => false }

  say(type, more = {}) {
    const event = new Event(type, { cancelable: true })
    for (const [name, value] of Object.entries(more)) Object.defineProperty(event, name, { value })
    this.dispatchEvent(event)
    return event
  }
}

const page = new Target()
const shell = page.documentElement = new Target()
const view = new Target()
let now = 10000
Object.assign(globalThis, {
  document: page, window: view, innerWidth: 1000, innerHeight: 600, scrollY: 0, matchMedia: () => ({ matches: false }),
})
Object.defineProperty(globalThis, 'performance', { value: { now: () => now } })
const triggers = await import('../../widget/triggers.js')
const { emit, facts } = await import('../../widget/signals.js')

beforeEach((context) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  context.after?.(() => mock.timers.reset())
  page.hidden = false
  globalThis.scrollY = 0
  for (const name of Object.keys(facts)) delete facts[name]
})

const tick = (seconds) => {
  now += seconds * 1000
  mock.timers.tick(seconds * 1000)
}
const counting = (answer = true) => mock.fn(() => answer)
const times = (fire) => fire.mock.callCount()

test('the delay fires once', () => {
  const fire = counting()
  triggers.afterDelay(fire, 4)
  tick(3.9)
  assert.equal(times(fire), 0)
  tick(60)
  assert.equal(times(fire), 1)
  mock.timers.reset()
})

test('a hidden page waits until it is seen', () => {
  const fire = counting()
  page.hidden = true
  triggers.afterDelay(fire, 4)
  tick(60)
  assert.equal(times(fire), 0)
  page.hidden = false
  view.say('visibilitychange')
  tick(4.1)
  assert.equal(times(fire), 1)
  mock.timers.reset()
})

const OUT = { relatedTarget: null, clientX: 300, clientY: -1, buttons: 0 }
const leaves = {
  'through the top': [OUT, 1],
  'through the left': [{ ...OUT, clientX: -1, clientY: 200 }, 0],
  'beside the window': [{ ...OUT, clientX: 1200 }, 0],
  'into something of the page': [{ ...OUT, relatedTarget: {} }, 0],
  'with a button held': [{ ...OUT, buttons: 1 }, 0],
}
for (const [how, [event, expected]] of Object.entries(leaves)) {
  test(`a leave ${how} counts ${expected}`, () => {
    const fire = counting()
    const stop = triggers.onExit(fire)
    tick(3)
    shell.say('mouseleave', event)
    tick(0.2)
    assert.equal(times(fire), expected)
    stop()
    mock.timers.reset()
  })
}

test('who turns round at once did not leave, nor who has only just come', () => {
  const fire = counting()
  const stop = triggers.onExit(fire)
  shell.say('mouseleave', OUT)
  tick(3)
  assert.equal(times(fire), 0)
  shell.say('mouseleave', OUT)
  tick(0.1)
  shell.say('mouseenter')
  tick(1)
  assert.equal(times(fire), 0)
  stop()
  mock.timers.reset()
})

test('what was dragged out and let go there is no leave', () => {
  const fire = counting()
  const stop = triggers.onExit(fire)
  tick(3)
  shell.say('mouseup', { clientY: -5 })
  shell.say('mouseleave', OUT)
  tick(1)
  assert.equal(times(fire), 0)
  shell.say('mouseup', { clientY: 200 })
  tick(3)
  shell.say('mouseleave', OUT)
  tick(0.2)
  assert.equal(times(fire), 1)
  stop()
  mock.timers.reset()
})

test('a page in the background spends no time on waiting', () => {
  const fire = counting()
  page.hidden = true
  const asked = mock.method(globalThis, 'setTimeout')
  const stop = triggers.afterDelay(fire, 0)
  tick(60)
  assert.equal(asked.mock.callCount(), 0)
  stop()
  asked.mock.restore()
  mock.timers.reset()
})

function scroll(to, { byFinger }) {
  now += 50
  globalThis.scrollY = to
  if (byFinger) page.say('touchmove')
  page.say('scroll')
}

test('a flick up after reading down fires; a slow one, a short read and a jump do not', () => {
  const fire = counting()
  const stop = triggers.onFlick(fire)
  for (let y = 0; y <= 1200; y += 100) scroll(y, { byFinger: true })
  for (let y = 1200; y >= 800; y -= 20) scroll(y, { byFinger: true })
  assert.equal(times(fire), 0)
  now += 5000
  scroll(0, { byFinger: false })
  assert.equal(times(fire), 0)
  for (let y = 0; y <= 1200; y += 100) scroll(y, { byFinger: true })
  for (let y = 1200; y >= 700; y -= 120) scroll(y, { byFinger: true })
  assert.ok(times(fire) > 0)
  stop()
  mock.timers.reset()
})

test('a tap that makes the page jump is no flick, however the finger trembled', () => {
  const fire = counting()
  const stop = triggers.onFlick(fire)
  for (let y = 0; y <= 1200; y += 100) scroll(y, { byFinger: true })
  page.say('touchmove')
  page.say('click')
  scroll(0, { byFinger: false })
  assert.equal(times(fire), 0)
  stop()
  mock.timers.reset()
})

test('so much of the page was seen', () => {
  const fire = counting()
  const stop = triggers.onDepth(fire, 50)
  scroll(1100, {})
  assert.equal(times(fire), 0)
  scroll(1300, {})
  assert.equal(times(fire), 1)
  stop()
  mock.timers.reset()
})

test('a field in use is no idleness', () => {
  const fire = counting()
  const stop = triggers.onIdle(fire, 10)
  tick(9)
  view.say('pointermove')
  tick(9)
  assert.equal(times(fire), 0)
  page.activeElement = { matches: () => true }
  tick(30)
  assert.equal(times(fire), 0)
  page.activeElement = { matches: () => false }
  tick(10)
  assert.equal(times(fire), 1)
  stop()
  mock.timers.reset()
})

test('a press on what is named opens, and takes the press for itself', () => {
  const open = counting()
  const { stop } = triggers.watch({ click: '#play' }, open)
  const named = { closest: (selector) => selector === '#play' }
  const event = page.say('click', { target: named })
  page.say('click', { target: { closest: () => null } })
  page.say('click', { target: named, ctrlKey: true })
  assert.equal(times(open), 1)
  assert.deepEqual(open.mock.calls[0].arguments, [true])
  assert.equal(event.defaultPrevented, true)
  stop()
  page.say('click', { target: named })
  assert.equal(times(open), 1)
  mock.timers.reset()
})

test('facts of the page count whenever they come', () => {
  const open = counting()
  emit('basket', { cents: 4000, items: 2 })
  const { stop } = triggers.watch({ basket: [1, 5000] }, open)
  tick(1)
  assert.equal(times(open), 0)
  emit('basket', { cents: 6000, items: 2 })
  assert.equal(times(open), 1)
  stop()
  mock.timers.reset()
})

test('all together: the moment counts when the rest is true', () => {
  const open = counting()
  const { stop } = triggers.watch({ all: true, delay: 5, event: 'bye' }, open)
  emit('event', 'bye')
  tick(6)
  assert.equal(times(open), 0)
  emit('event', 'other')
  emit('event', 'bye')
  assert.equal(times(open), 1)
  stop()
  mock.timers.reset()
})

test('what stays true asks again while the page is busy; a moment is gone', () => {
  const open = counting('later')
  const { rest } = triggers.watch({ delay: 1, event: 'bye' }, open)
  emit('event', 'bye')
  tick(0.5)
  assert.equal(times(open), 1)
  tick(0.6)
  assert.equal(times(open), 2)
  tick(1)
  tick(1)
  assert.equal(times(open), 4)
  rest()
  tick(10)
  assert.equal(times(open), 4)
  mock.timers.reset()
})

test('an event of the data layer or of the document is heard', () => {
  const open = counting()
  view.dataLayer = []
  const { stop } = triggers.watch({ event: 'bye' }, open)
  view.dataLayer.push({ event: 'hello' }, { event: 'bye' })
  tick(0.6)
  assert.equal(times(open), 1)
  page.say('bye')
  assert.equal(times(open), 2)
  stop()
  delete view.dataLayer
  mock.timers.reset()
})
