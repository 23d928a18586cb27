import assert from 'node:assert/strict'
import { test } from 'node:test'

globalThis.matchMedia = () => ({ matches: false })
const { cellsAlong, shareOf } = await import('../../widget/games/scratch.js')

const WIDTH = 240
const HEIGHT = 140

test('a touch clears what lies under the coin and nothing far away', () => {
  const cells = cellsAlong({ x: 5, y: 5 }, { x: 5, y: 5 }, 8, WIDTH, HEIGHT)

  assert.ok(cells.includes(0))
  assert.ok(!cells.includes(5))
})

test('a fast stroke leaves no gap between two events', () => {
  const row = cellsAlong({ x: 0, y: 5 }, { x: WIDTH, y: 5 }, 6, WIDTH, HEIGHT).filter((cell) => cell < 24)

  assert.equal(row.length, 24)
})

test('a stroke beyond the edge counts no cell that is not there', () => {
  const cells = cellsAlong({ x: -500, y: -500 }, { x: 900, y: 900 }, 30, WIDTH, HEIGHT)

  assert.ok(cells.every((cell) => cell >= 0 && cell < 24 * 14))
  assert.equal(new Set(cells).size, cells.length)
})

test('all cells make a whole', () => {
  const all = new Set(cellsAlong({ x: 0, y: 70 }, { x: WIDTH, y: 70 }, 200, WIDTH, HEIGHT))

  assert.equal(shareOf(all), 1)
})
