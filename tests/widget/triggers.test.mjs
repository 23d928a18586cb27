import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { afterDelay, onPress, watch } from '../../widget/triggers.js'

class Page extends EventTarget {
  hidden = false

  show(isShown) {
    this.hidden = !isShown
    this.dispatchEvent(new Event('visibilitychange'))
  }

  press(more = {}) {
    const event = new Event('click', { cancelable: true })
    const target = { closest: (selector) => (selector === '#play' ? this : null), ...more.target }
    Object.defineProperty(event, 'target', { value: target })
    this.dispatchEvent(Object.assign(event, more.keys))
    return event
  }
}

function timers(context) {
  mock.timers.enable({ apis: ['setTimeout'] })
  context.after(() => mock.timers.reset())
  return (seconds) => mock.timers.tick(seconds * 1000)
}

test('the delay fires once', (t) => {
  const wait = timers(t)
  const fire = mock.fn(() => true)

  afterDelay(fire, 4, new Page())
  wait(3.9)
  assert.equal(fire.mock.callCount(), 0)
  wait(60)
  assert.equal(fire.mock.callCount(), 1)
})

test('a hidden page waits until it is seen', (t) => {
  const wait = timers(t)
  const fire = mock.fn(() => true)
  const page = new Page()
  page.hidden = true

  afterDelay(fire, 4, page)
  wait(60)
  assert.equal(fire.mock.callCount(), 0)
  page.show(true)
  wait(4)
  assert.equal(fire.mock.callCount(), 1)
})

test('a stopped delay stays quiet, also when the page comes back', (t) => {
  const wait = timers(t)
  const fire = mock.fn()
  const page = new Page()

  afterDelay(fire, 4, page)()
  page.show(true)
  wait(60)

  assert.equal(fire.mock.callCount(), 0)
})

test('a busy page is asked again a little later', (t) => {
  const wait = timers(t)
  const answers = ['later', 'later', true]
  const fire = mock.fn(() => answers.shift())

  afterDelay(fire, 4, new Page())
  wait(4)
  wait(1)
  wait(60)

  assert.equal(fire.mock.callCount(), 3)
})

test('a delay that has fired does not fire again when the page comes back', (t) => {
  const wait = timers(t)
  const fire = mock.fn(() => true)
  const page = new Page()

  afterDelay(fire, 4, page)
  wait(4)
  page.show(false)
  page.show(true)
  wait(60)

  assert.equal(fire.mock.callCount(), 1)
})

test('a press on what the selector names fires and keeps a link from leaving', () => {
  const fire = mock.fn(() => true)
  const page = new Page()

  onPress(fire, '#play', page)
  const event = page.press()

  assert.equal(fire.mock.callCount(), 1)
  assert.equal(event.defaultPrevented, true)
})

test('a press elsewhere, or one that wants a new tab, is left alone', () => {
  const fire = mock.fn(() => true)
  const page = new Page()

  onPress(fire, '#other', page)
  page.press()
  onPress(fire, '#play', page)
  const event = page.press({ keys: { ctrlKey: true } })

  assert.equal(fire.mock.callCount(), 0)
  assert.equal(event.defaultPrevented, false)
})

test('a press that opens nothing lets the page do its own', () => {
  const page = new Page()

  onPress(() => false, '#play', page)

  assert.equal(page.press().defaultPrevented, false)
})

test('a stopped press stays quiet', () => {
  const fire = mock.fn(() => true)
  const page = new Page()

  onPress(fire, '#play', page)()
  page.press()

  assert.equal(fire.mock.callCount(), 0)
})

test('a rule without triggers arms nothing', () => {
  const stops = watch({ delay_seconds: null, selector: null }, () => assert.fail())

  assert.doesNotThrow(() => [stops.delay(), stops.press()])
})
