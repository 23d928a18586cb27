import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { drawn, verifyRaffle } from '../../widget/raffle.js'
import { canonical, linesOf, WrongLineError } from '../../widget/transcript.js'

// `tests/domain/test_raffle_record.py` makes and checks the same bytes.
const FILE = readFileSync(new URL('./raffle.jsonl', import.meta.url))
const LINES = FILE.toString().split('\n').slice(0, -1)
const hash = async (text) => Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex')
const stream = (bytes) => linesOf(new Blob([bytes]).stream())
const lineAt = (place) => FILE.subarray(0, place).filter((byte) => byte === 10).length + 1
const LABELS = [...'abcde'].map((letter) => `e_${letter.repeat(26)}`)
const letters = (labels) => labels.map((label) => label[2]).join(' ')

test('the vectors of rf-1 come out (a fixed scheme)', async () => {
  const listed = await hash(LABELS.map((label) => `${label}\n`).join(''))
  const fixed = { secret: await hash('secret'), listed, campaign: 'demo', draw: 'main' }

  assert.equal(listed, '594c523cc97413c9c805c238626ab9aecd770d0ed57a324e3fd8d9bb160042c0')
  assert.equal(await hash(Buffer.from(fixed.secret, 'hex')), '3881219d087dd9c634373fd33dfa33a2cb6bfc6c520b64b8bb60ef2ceb534ae7')
  assert.equal(letters(await drawn(LABELS, { ...fixed, randomness: await hash('beacon') })), 'd a e b c')
  assert.equal(letters(await drawn(LABELS, { ...fixed, randomness: '' })), 'd b e c a')
})

test('an honest file is right, and tells each label', async () => {
  const told = []

  const report = await verifyRaffle(stream(FILE), { onLabel: (label) => told.push(label) })

  assert.equal(report.promise.campaign, 'demo')
  assert.equal(letters(report.places), 'd a e b')
  assert.deepEqual(told[1], { label: LABELS[1], line: 4, total: 2 })
  assert.equal(report.labels, 5)
})

for (const [many, what] of [[1, 'the promise'], [7, 'the list']]) {
  test(`a file with ${what} is right, and nothing is drawn in it`, async () => {
    const report = await verifyRaffle(stream(Buffer.from(LINES.slice(0, many).join('\n') + '\n')))

    assert.equal(report.places, null)
  })
}

test('one changed byte anywhere is named by its line (PZ-08)', async () => {
  for (let place = 0; place < FILE.length; place++) {
    const changed = Buffer.from(FILE)
    changed[place] ^= [1, 32, 128][place % 3]
    await assert.rejects(verifyRaffle(stream(changed)), (error) => {
      assert.ok(error instanceof WrongLineError, String(error))
      assert.equal(error.line, lineAt(place))
      return true
    })
  }
})

test('a missing line is noticed', async () => {
  for (let missing = 1; missing < LINES.length - 1; missing++) {
    const shorter = LINES.filter((_, at) => at !== missing).join('\n') + '\n'
    await assert.rejects(verifyRaffle(stream(Buffer.from(shorter))), { line: missing + 1 })
  }
})

test('a file that stops too early is not whole', async () => {
  for (const end of [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]) {
    await assert.rejects(verifyRaffle(stream(Buffer.from(LINES.slice(0, end).join('\n') + '\n'))), WrongLineError)
  }
})

/** Return the file with its content changed and its chain made right again. */
async function forged(change) {
  let head = ''
  const written = []
  for (const { h, ...fields } of change(LINES.map((line) => JSON.parse(line)))) {
    head = await hash(`${head}\n${canonical(fields)}`)
    written.push(canonical({ ...fields, h: head }) + '\n')
  }
  return Buffer.from(written.join(''))
}

const put = (at, values) => (lines) => lines.map((line, index) => index + 1 === at ? { ...line, ...values } : line)
const forgeries = [
  [put(1, { campaign: 'other' }), 9, 'place 1'],
  [put(1, { reserves: 0 }), 12, 'nobody is drawn'],
  [put(1, { commitment: '00'.repeat(32) }), 8, 'not the one committed to'],
  [put(1, { randomness: null }), 8, 'not what was named'],
  [put(1, { prizes: [{ id: 'bike', number: true }] }), 1, 'what was promised'],
  [put(1, { prizes: [{ id: 'bike', number: 2000 }] }), 1, 'more than a raffle'],
  [put(1, { prizes: [{ id: 'car', number: 3 }] }), 9, 'place 1'],
  [put(2, { list: '00'.repeat(32) }), 2, 'not that of the labels'],
  [put(2, { labels: 4 }), 7, 'longer than was told'],
  [put(2, { labels: 6 }), 8, 'shorter than was told'],
  [put(2, { excluded: { duplicate: 0 } }), 2, 'what was listed'],
  [put(3, { label: `e_${'a'.repeat(25)}2` }), 2, 'not that of the labels'],
  [put(3, { label: 'nobody' }), 3, 'no label'],
  [put(4, { label: LABELS[0] }), 4, 'not in order'],
  [put(8, { secret: '00'.repeat(32) }), 8, 'not the one committed to'],
  [put(8, { r: '' }), 8, 'not what was named'],
  [put(8, { r: '00' }), 9, 'place 1'],
  [put(8, { r: '0' }), 8, 'another shape'],
  [put(9, { label: LABELS[2] }), 9, 'place 1 e_ddd'],
  [put(12, { prize: 'bike' }), 12, 'place 4'],
  [put(13, { end: 3 }), 13, 'another number of places'],
  [(lines) => [...lines, { end: 4 }], 14, 'has ended before'],
  [(lines) => [lines[0], { epoch: 1 }], 2, 'belongs here'],
  [put(2, { more: 1 }), 2, 'belongs here'],
]
for (const [index, [change, line, why]] of forgeries.entries()) {
  test(`forgery ${index + 1} is found though the chain is right: ${why}`, async () => {
    await assert.rejects(verifyRaffle(stream(await forged(change))), (error) => {
      assert.ok(error.why?.includes(why), String(error))
      assert.equal(error.line, line)
      return true
    })
  })
}
