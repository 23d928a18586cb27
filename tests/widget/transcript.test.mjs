import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { canonical, draw, linesOf, verify, WrongLineError } from '../../widget/transcript.js'

// `tests/domain/test_transcript.py` makes and checks the same bytes.
const FILE = readFileSync(new URL('./draws.jsonl', import.meta.url))
// And `tests/domain/test_release.py` these.
const RELEASED = readFileSync(new URL('./released.jsonl', import.meta.url))
const hash = async (text) => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex')
const stream = (bytes) => linesOf(new Blob([bytes]).stream())
const lineAt = (place) => FILE.subarray(0, place).filter((byte) => byte === 10).length + 1

test('an honest file is right', async () => {
  const played = []

  const report = await verify(stream(FILE), { onPlay: (play) => played.push(play) })

  assert.equal(report.days, 2)
  assert.equal(report.plays, 10)
  assert.equal(report.promise.campaign, 'demo')
  assert.equal(report.awarded.mug, 3)
  assert.deepEqual(played.map(({ epoch }) => epoch), [1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
})

test('a prize released day by day is followed, as its plan says', async () => {
  const report = await verify(stream(RELEASED))

  assert.deepEqual([report.days, report.awarded.mug, report.awarded.ten], [3, 3, 2])
})

test('one changed byte anywhere is named by its line (PZ-08)', async () => {
  for (let place = 0; place < FILE.length; place++) {
    for (const change of [1, 32, 128]) {
      const changed = Buffer.from(FILE)
      changed[place] ^= change
      await assert.rejects(verify(stream(changed)), (error) => {
        assert.ok(error instanceof WrongLineError, String(error))
        assert.equal(error.line, lineAt(place))
        return true
      })
    }
  }
})

test('a missing line is noticed', async () => {
  const lines = FILE.toString().split('\n').slice(0, -1)
  for (let missing = 1; missing < lines.length - 1; missing++) {
    const shorter = lines.filter((_, at) => at !== missing).join('\n') + '\n'
    await assert.rejects(verify(stream(Buffer.from(shorter))), { line: missing + 1 })
  }
})

test('a file that stops within a day is not whole', async () => {
  const lines = FILE.toString().split('\n').slice(0, 5).join('\n') + '\n'

  await assert.rejects(verify(stream(Buffer.from(lines))), { why: 'the day does not end' })
})

/** Return the file with its content changed and its chain made right again. */
async function forged(change, file = FILE) {
  const lines = file.toString().split('\n').slice(0, -1).map((line) => JSON.parse(line))
  let head = ''
  const written = []
  for (const { h, ...fields } of await change(lines)) {
    head = await hash(`${head}\n${canonical(fields)}`)
    written.push(canonical({ ...fields, h: head }) + '\n')
  }
  return Buffer.from(written.join(''))
}

const forgeries = [
  ['an outcome that was not drawn', 'the draw gives', (lines) => lines.map((line) => line.drawn === 'ten' ? { ...line, drawn: 'mug', awarded: 'mug', unit: 3 } : line)],
  ['other odds', 'its table is not the one of its digest', (lines) => lines.map((line) => line.table ? { ...line, table: { ...line.table, fallback: 'mug' } } : line)],
  ['another seed', 'its seed does not lead back to the anchor', (lines) => lines.map((line) => line.seed ? { ...line, seed: '0'.repeat(64) } : line)],
  ['one unit twice', 'of mug was taken', (lines) => lines.slice(0, lines.findIndex(({ unit }) => unit === 2) + 1).map((line) => line.unit ? { ...line, unit: 1 } : line)],
  ['a unit that is not there', 'mug has no such unit', (lines) => lines.map((line) => line.unit ? { ...line, unit: line.unit + 3 } : line)],
  ['a play twice', 'its ticket has played before', (lines) => lines.flatMap((line) => line.t ? [line, line] : [line])],
  ['a lapse of nobody', 'there is no such play', (lines) => lines.flatMap((line) => line.seed ? [line, { lapsed: '0'.repeat(32) }] : [line])],
  ['a truth value for a number', 'it is no line that belongs here', (lines) => [...lines.slice(0, 1), { epoch: true }, ...lines.slice(1)]],
]
for (const [what, why, change] of forgeries) {
  test(`${what} is found, though the chain is right`, async () => {
    await assert.rejects(verify(stream(await forged(change))), (error) => error.why.includes(why))
  })
}

const kept = (line) => line.drawn ? { ...line, awarded: 'ten', unit: null } : line
const planned = (release) => async (lines) => {
  const [first, ...rest] = lines
  const table = { ...first.table, slots: [{ ...first.table.slots[0], release }, first.table.slots[1]] }
  return [{ ...first, table, digest: await hash(canonical(table)) }, ...rest]
}
const misplanned = [
  ['a unit before its day', 'unit 2 of mug was not released yet', (lines) => lines.map((line) => line.t && line.unit === null ? { ...line, awarded: 'mug', unit: 2 } : line)],
  ['a unit kept back on its day', 'mug had not run out', (lines) => lines.map(kept)],
  ['a plan that goes back', 'it cannot release mug like that', planned([1, 0, 3])],
  ['a plan beyond the stock', 'it cannot release mug like that', planned([1, 1, 4])],
  ['a plan of other days', 'it cannot release mug like that', planned([1, 3])],
  ['no plan', 'it cannot release mug like that', planned(null)],
]
for (const [what, why, change] of misplanned) {
  test(`${what} is found, though the chain is right`, async () => {
    await assert.rejects(verify(stream(await forged(change, RELEASED))), { why })
  })
}

test('the vectors of iw-1 come out (a fixed scheme)', async () => {
  const seed = Buffer.from('2f287b4d3d4910f6cada9e1bd1b4648099e8c52c81aa4a6aebfa6fc86f19834e', 'hex')
  const slots = [['voucher50', 1, 1], ['disc10', 60, null], ['ship', 30, null], ['none', 9, null]].map(([id, weight, stock]) => ({ id, weight, stock }))
  const digest = await hash(canonical({ v: 1, fallback: 'none', slots }))
  const key = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const drawn = []
  for (let each = 1; each <= 12; each++) {
    const ticket = (await hash(`ticket-${each}`)).slice(0, 32)
    drawn.push(await draw(slots, key, `iw-1|demo|${digest}|1|${ticket}|00112233445566778899aabbccddeeff|`))
  }

  assert.equal(digest, 'eba3c5af7bb0d2d22d50bb4f864cb7899b03ecfde84e648bf53a869c4543d2a7')
  assert.equal(drawn.join(' '), 'disc10 ship disc10 disc10 disc10 disc10 ship ship disc10 disc10 disc10 disc10')
})
