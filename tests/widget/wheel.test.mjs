import assert from 'node:assert/strict'
import { test } from 'node:test'

globalThis.matchMedia = () => ({ matches: false })
const { landing, turnTo } = await import('../../widget/games/wheel.js')

const TWICE = [{ start: -22.5, end: 22.5 }, { start: 157.5, end: 202.5 }]
const rolls = Array.from({ length: 10_000 }, (_, i) => i / 10_000)

test('a landing lies inside a segment of the won prize, whatever the roll', () => {
  for (const roll of [...rolls, 1 - Number.EPSILON, 1]) {
    const { segment, angle } = landing(TWICE, roll)
    assert.ok(TWICE.includes(segment))
    assert.ok(angle > segment.start && angle < segment.end, `${roll} is at ${angle}`)
  }
})

test('every place within the segments is as likely: no near-miss is made', () => {
  const tenths = new Array(10).fill(0)
  for (const roll of rolls) {
    const { segment, angle } = landing(TWICE, roll)
    tenths[Math.floor((angle - segment.start) / (segment.end - segment.start) * 10)]++
  }

  // The pointer keeps clear of the borders alone, which costs both ends the same.
  assert.ok(Math.abs(tenths[0] - tenths[9]) <= 2)
  tenths.slice(1, 9).forEach((count) => assert.ok(Math.abs(count - tenths[4]) <= 2, `${tenths}`))
  assert.ok(tenths[0] > 0.8 * tenths[4])
})

test('of two segments the wider one is met as much more often', () => {
  const segments = [{ start: 0, end: 30 }, { start: 100, end: 220 }]
  const first = rolls.filter((roll) => landing(segments, roll).segment === segments[0]).length

  assert.ok(first / rolls.length > 0.18 && first / rolls.length < 0.21)
})

test('turning brings the angle to the top, after whole turns and always forward', () => {
  for (const angle of [-22, 0, 1, 90, 179.5, 337]) {
    const turned = turnTo(angle, 4)
    assert.ok(Math.abs((turned + angle) % 360) < 1e-9)
    assert.ok(turned > 4 * 360 - 1 && turned < 6 * 360)
  }
})
