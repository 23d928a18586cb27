import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heightIn, isOurs, purposesIn } from '../../widget/messages.js'

const frame = { contentWindow: {} }
const host = 'https://service.test'
const ours = { source: frame.contentWindow, origin: host, data: { jawoord: 1, type: 'close' } }

test('a message of our frame is heard', () => {
  assert.equal(isOurs(ours, frame, host), true)
})

test('the same words from another window are not', () => {
  assert.equal(isOurs({ ...ours, source: {} }, frame, host), false)
})

test('the same window at another origin is not: the frame was led away', () => {
  assert.equal(isOurs({ ...ours, origin: 'https://service.test.evil.test' }, frame, host), false)
})

test('another version or no version is not', () => {
  for (const data of [null, undefined, 'close', 1, {}, { jawoord: 2 }, { jawoord: '1' }]) {
    assert.equal(isOurs({ ...ours, data }, frame, host), false)
  }
})

test('a height is taken whole', () => {
  assert.equal(heightIn({ height: 640.2 }), 641)
})

test('a height without reason is none', () => {
  for (const height of [undefined, null, NaN, -1, 0, 99, 6001, Infinity, '1px', {}]) {
    assert.equal(heightIn({ height }), 0)
  }
})

test('only keys of purposes get through', () => {
  assert.deepEqual(purposesIn({ purposes: ['newsletter', 'a@b.nl', 'X', '', 'personal_offers'] }), ['newsletter', 'personal_offers'])
  for (const purposes of [undefined, null, 'newsletter', { 0: 'newsletter' }]) assert.deepEqual(purposesIn({ purposes }), [])
})
