import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { allow, count, countDay, counted, fate, onDay, remember } from '../../widget/memory.js'

const session = new Map()
const local = new Map()
const store = (kept) => ({ getItem: (name) => kept.get(name) ?? null, setItem: (name, fact) => kept.set(name, String(fact)) })

globalThis.window = globalThis
beforeEach(() => {
  session.clear()
  local.clear()
  allow(false)
  for (const [name, kept] of [['sessionStorage', session], ['localStorage', local]]) {
    Object.defineProperty(globalThis, name, { value: store(kept), configurable: true, writable: true })
  }
})

test('asking and counting write nothing (EM-01)', () => {
  fate('a')
  counted('opened')
  count('product')
  onDay()
  countDay()

  assert.equal(session.size + local.size, 0)
  assert.equal(counted('product'), 1)
})

test('one placement closed leaves the others to their own', () => {
  remember('a', 'closed')

  assert.equal(fate('a'), 'closed')
  assert.equal(fate('b'), undefined)
  assert.deepEqual([...session], [['jawoord.a', 'closed']])
})

test('what is closed takes with it what was spent, so that no other placement asks again (CR-08)', () => {
  count('opened')
  assert.equal(session.size, 0)

  remember('a', 'closed')

  assert.deepEqual([...session], [['jawoord.a', 'closed'], ['jawoord.#opened', '1']])
})

test('with the word of the page a count lasts, and so does the day (EM-02)', () => {
  allow(true)
  count('category')
  count('category')
  countDay()
  countDay()

  assert.equal(session.get('jawoord.#category'), '2')
  assert.match(local.get('jawoord.day'), /^\w{3} .*\|2$/)
  assert.equal(onDay(), 2)
})

test('yesterday is another day', () => {
  allow(true)
  local.set('jawoord.day', 'Mon Jan 01 2024|9')

  assert.equal(onDay(), 0)
})

test('anything but a plain yes keeps nothing', () => {
  for (const word of ['no', 1, {}, undefined]) allow(word)
  count('home')

  assert.equal(session.size, 0)
})

test('where storage is refused the page itself remembers', () => {
  const refuse = () => { throw new Error('SecurityError') }
  globalThis.sessionStorage = { getItem: refuse, setItem: refuse }

  assert.doesNotThrow(() => remember('c', 'closed'))
  assert.equal(fate('c'), 'closed')
})
