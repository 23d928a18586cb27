import assert from 'node:assert/strict'
import test from 'node:test'
import { ASK_S, WIPE_S, judge } from '../../widget/idle.js'

test('it wipes after half a minute at the latest (CR-13)', () => {
  assert.equal(WIPE_S, 30)
  assert.deepEqual(judge(30), { act: 'wipe', left: 0 })
  assert.deepEqual(judge(300), { act: 'wipe', left: 0 })
})

test('who is asked has twenty seconds to answer (AX-06, SC 2.2.1)', () => {
  assert.ok(WIPE_S - ASK_S >= 20)
  assert.deepEqual(judge(9.9), { act: 'wait', left: 21 })
  assert.deepEqual(judge(10), { act: 'ask', left: 20 })
  assert.deepEqual(judge(29.5), { act: 'ask', left: 1 })
})
