import assert from 'node:assert/strict'
import { test } from 'node:test'
import { following, leading, stepsAfter, wayTo } from '../../widget/steps.js'

const keys = ['a', 'b', 'c', 'd', 'terms']

test('the one below follows, unless another is named', () => {
  assert.equal(following(keys, 0, {}), 1)
  assert.equal(following(keys, 0, { own: 'c' }), 2)
  assert.equal(following(keys, 0, { own: 'c', chosen: 'd' }), 3)
})

test('the end is what comes after the questions', () => {
  assert.equal(following(keys, 0, { chosen: 'end' }), 4)
  assert.equal(following(['a', 'b'], 0, { chosen: 'end' }), 2)
})

test('a number leads where its range does', () => {
  const ranges = '3:end 7: 10:c'

  assert.deepEqual([0, 3].map((number) => leading(ranges, number)), ['end', 'end'])
  assert.equal(leading(ranges, 4), '')
  assert.equal(leading(ranges, 10), 'c')
  assert.equal(following(keys, 0, { chosen: leading(ranges, 5), own: 'b' }), 1)
})

test('the way to a fault is the way that was gone', () => {
  const next = (at) => [2, 2, 3][at]

  assert.deepEqual(wayTo(3, next), [0, 2])
  assert.deepEqual(wayTo(0, next), [])
})

test('what is left is counted along the way', () => {
  assert.equal(stepsAfter(0, 4, (at) => at + 1), 4)
  assert.equal(stepsAfter(0, 4, (at) => at + 2), 2)
})
