/**
 * Check the public record of a raffle, line by line (PZ-08): the scheme `rf-1`. What the
 * file holds is told in `server/domain/raffle_record.py`, which checks the same on a command
 * line; the two share no code, only the scheme. Nothing here touches the page or the network.
 */
import { encoder, hex, HEX_64, isCount, keysAre, opened, sha256, unhex, WrongLineError } from './transcript.js'

const LABEL = /^e_[a-z2-7]{26}$/
const RANDOM = /^(?:[0-9a-f]{2}){0,64}$/
const MOST_UNITS = 1000

const hmac = async (key, bytes) => {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytes))
}

/** Return the labels in the order of the draw: HKDF (RFC 5869) of one block. */
export async function drawn(labels, { secret, randomness, listed, campaign, draw }) {
  const prk = await hmac(unhex(secret), unhex(randomness + listed))
  const key = await crypto.subtle.importKey('raw', prk, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const placed = []
  for (const label of labels) {
    const info = encoder.encode(`rf-1|${campaign}|${draw}|${label}\u0001`)
    placed.push([hex(await crypto.subtle.sign('HMAC', key, info)), label])
  }
  return placed.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, label]) => label)
}

/** Check the lines that an async iterable gives, as `verify` of `transcript.js` does. */
export async function verifyRaffle(lines, { onLabel = () => {} } = {}) {
  let number = 0
  let head = ''
  let check
  for await (const line of lines) {
    number++
    const { fields, head: next } = await opened(number, line, head)
    head = next
    if (check) await check.take(number, fields)
    else check = makeCheck(promiseIn(number, fields), onLabel)
  }
  if (!check) throw new WrongLineError(1, 'it does not end')
  await check.finish(number)
  return { ...check.report(), head }
}

function promiseIn(number, fields) {
  const { v, scheme, campaign, draw, at, commitment, prizes, reserves, randomness } = fields
  if (scheme !== 'rf-1') throw new WrongLineError(number, 'it is not of the scheme rf-1')
  const isWhole = keysAre(fields, 'v', 'scheme', 'campaign', 'draw', 'at', 'commitment', 'prizes', 'reserves', 'randomness')
    && v === 1 && [campaign, draw, at].every((text) => typeof text === 'string') && HEX_64.test(commitment)
    && isCount(reserves) && (randomness === null || typeof randomness === 'string') && Array.isArray(prizes)
    && prizes.every((prize) => keysAre(prize, 'id', 'number') && typeof prize.id === 'string' && isCount(prize.number))
  if (!isWhole) throw new WrongLineError(number, 'it does not say what was promised')
  if (prizes.reduce((sum, prize) => sum + prize.number, 0) > MOST_UNITS) throw new WrongLineError(number, 'it promises more than a raffle can hold')
  return { ...fields, units: prizes.flatMap((prize) => Array(prize.number).fill(prize.id)) }
}

/** Go through a file: the list, its labels, the draw and its places. */
function makeCheck(promise, onLabel) {
  const { units, reserves } = promise
  const labels = []
  let listed
  let listLine
  let order
  let places = 0
  let hasEnded = false

  async function take(number, fields) {
    if (hasEnded) throw new WrongLineError(number, 'the file has ended before')
    if (keysAre(fields, 'labels', 'list', 'excluded')) openList(number, fields)
    else if (keysAre(fields, 'label')) takeLabel(number, fields.label)
    else if (keysAre(fields, 'secret', 'r')) await drawNow(number, fields)
    else if (keysAre(fields, 'place', 'label', 'prize')) checkPlace(number, fields)
    else if (keysAre(fields, 'end')) endAt(number, fields.end)
    else throw new WrongLineError(number, 'it is no line that belongs here')
  }

  function openList(number, fields) {
    if (listed) throw new WrongLineError(number, 'there was a list before')
    const { excluded } = fields
    const isTold = excluded !== null && typeof excluded === 'object' && !Array.isArray(excluded)
      && Object.values(excluded).every((times) => isCount(times) && times > 0)
    if (!isTold || !isCount(fields.labels) || !HEX_64.test(fields.list)) throw new WrongLineError(number, 'it does not say what was listed')
    listed = fields
    listLine = number
  }

  function takeLabel(number, label) {
    if (!listed || order) throw new WrongLineError(number, 'it belongs to no list')
    if (!LABEL.test(label)) throw new WrongLineError(number, 'it is no label')
    if (labels.length && label <= labels.at(-1)) throw new WrongLineError(number, 'the labels are not in order')
    if (labels.length === listed.labels) throw new WrongLineError(number, 'the list is longer than was told')
    labels.push(label)
    onLabel({ label, line: number, total: labels.length })
  }

  async function checkList(number) {
    if (!listed) throw new WrongLineError(number, 'there is no list to draw from')
    if (labels.length !== listed.labels) throw new WrongLineError(number, 'the list is shorter than was told')
    const whole = encoder.encode(labels.map((label) => `${label}\n`).join(''))
    if (await sha256(whole) !== listed.list) throw new WrongLineError(listLine, 'its hash is not that of the labels')
  }

  async function drawNow(number, { secret, r }) {
    if (order) throw new WrongLineError(number, 'it was drawn before')
    await checkList(number)
    if (!HEX_64.test(secret) || !RANDOM.test(r)) throw new WrongLineError(number, 'its secret or randomness has another shape')
    if (Boolean(r) !== (promise.randomness !== null)) throw new WrongLineError(number, 'the randomness is not what was named')
    if (await sha256(unhex(secret)) !== promise.commitment) throw new WrongLineError(number, 'its secret is not the one committed to')
    const { campaign, draw } = promise
    const all = await drawn(labels, { secret, randomness: r, listed: listed.list, campaign, draw })
    order = all.slice(0, units.length + reserves)
  }

  function checkPlace(number, { place, label, prize }) {
    if (!order || places === order.length) throw new WrongLineError(number, 'nobody is drawn for this place')
    const right = order[places++]
    if (place !== places || label !== right || prize !== (units[places - 1] ?? null)) throw new WrongLineError(number, `the draw gives place ${places} ${right}`)
  }

  function endAt(number, end) {
    if (!order || end !== places || end !== order.length) throw new WrongLineError(number, 'the draw has another number of places')
    hasEnded = true
  }

  return {
    take,
    async finish(number) {
      if (order && !hasEnded) throw new WrongLineError(number, 'the draw does not end')
      if (listed && !order) await checkList(number)
    },
    report: () => ({ promise, labels: labels.length, places: order ?? null }),
  }
}
