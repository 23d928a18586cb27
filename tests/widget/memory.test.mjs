import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { isClosed, isStopped, remember } from '../../widget/memory.js'

const stored = new Map()

beforeEach(() => {
  stored.clear()
  globalThis.sessionStorage = {
    getItem: (name) => stored.get(name) ?? null,
    setItem: (name, fact) => stored.set(name, fact),
  }
})

test('asking writes nothing (EM-01)', () => {
  isClosed('a')
  isStopped()

  assert.equal(stored.size, 0)
})

test('one placement closed leaves the others open', () => {
  remember('a', 'closed')

  assert.equal(isClosed('a'), true)
  assert.equal(isClosed('b'), false)
  assert.equal(isStopped(), false)
})

test('who is too young is so for every placement', () => {
  remember('', 'stopped')

  assert.equal(isStopped(), true)
})

test('where storage is refused the page itself remembers', () => {
  const refuse = () => { throw new Error('SecurityError') }
  globalThis.sessionStorage = { getItem: refuse, setItem: refuse }

  assert.doesNotThrow(() => remember('c', 'closed'))
  assert.equal(isClosed('c'), true)
})
