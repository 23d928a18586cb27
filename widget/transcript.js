/**
 * Check the public record of a campaign's draws, line by line (PZ-08). What the file
 * holds is told in `server/domain/transcript.py`, which checks the same on a command line;
 * the two share no code, only the scheme. Nothing here touches the page or the network.
 */

const MARGIN = 256
const WORD = 2n ** 64n
const LONGEST_LINE = 100000
const HEX_32 = /^[0-9a-f]{32}$/
export const HEX_64 = /^[0-9a-f]{64}$/
export const encoder = new TextEncoder()

/** The first line that is not as it has to be. */
export class WrongLineError extends Error {
  constructor(line, why) {
    super(`line ${line}: ${why}`)
    this.line = line
    this.why = why
  }
}

export const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))
export const sha256 = async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes))
export const isCount = (value) => Number.isSafeInteger(value) && value >= 0
export const keysAre = (fields, ...keys) => Object.keys(fields).sort().join() === keys.sort().join()

/** Write a value in its canonical form (RFC 8785); the file holds whole numbers only. */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const parts = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
  return `{${parts.join(',')}}`
}

/** Return the slot that a play draws: the scheme `iw-1`. */
export async function draw(slots, key, message) {
  const total = slots.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
  for (let counter = 0; ; counter++) {
    const block = new DataView(await crypto.subtle.sign('HMAC', key, encoder.encode(message + counter)))
    for (let at = 0; at < 32; at += 8) {
      const word = block.getBigUint64(at)
      // The last, incomplete round would favour the first slots.
      if (word < WORD - WORD % total) return slotAt(slots, word % total)
    }
  }
}

function slotAt(slots, point) {
  for (const { id, weight } of slots) {
    if (point < BigInt(weight)) return id
    point -= BigInt(weight)
  }
}

/**
 * Check the lines that an async iterable gives, each with its line feed. Resolves to what
 * the file says; rejects with a `WrongLineError`. `onPlay` is told of each play that is right.
 */
export async function verify(lines, { onPlay = () => {} } = {}) {
  let number = 0
  let head = ''
  let check
  for await (const line of lines) {
    number++
    const { fields, head: next } = await opened(number, line, head)
    head = next
    if (check) await check.take(number, fields)
    else check = makeCheck(await promiseIn(number, fields), onPlay)
  }
  if (!check) throw new WrongLineError(1, 'it does not end')
  check.finish(number)
  return { ...check.report(), head }
}

/** Return a line's fields and its hash, once the line is seen to be whole (`domain/chain.py`). */
export async function opened(number, line, before) {
  if (line.length > LONGEST_LINE || !line.endsWith('\n')) throw new WrongLineError(number, 'it does not end')
  let fields
  try {
    fields = JSON.parse(line)
  } catch {
    throw new WrongLineError(number, 'it cannot be read')
  }
  if (fields === null || typeof fields !== 'object' || canonical(fields) + '\n' !== line) throw new WrongLineError(number, 'it is not written as it was')
  const { h, ...rest } = fields
  const head = await sha256(encoder.encode(`${before}\n${canonical(rest)}`))
  if (h !== head) throw new WrongLineError(number, 'it was changed, or the line before is missing')
  return { fields: rest, head }
}

async function promiseIn(number, fields) {
  const { v, scheme, campaign, opens, epochs, anchor, digest, table } = fields
  const slots = table?.slots
  const isWhole = keysAre(fields, 'v', 'scheme', 'campaign', 'opens', 'epochs', 'anchor', 'digest', 'table')
    && v === 1 && scheme === 'iw-1' && typeof campaign === 'string' && typeof opens === 'string' && isCount(epochs) && HEX_64.test(anchor)
    && keysAre(table, 'v', 'fallback', 'slots') && table.v === 1 && typeof table.fallback === 'string' && Array.isArray(slots)
    && slots.every((slot) => keysAre(slot, 'id', 'weight', 'stock', ...('release' in slot ? ['release'] : []))
      && typeof slot.id === 'string' && isCount(slot.weight) && (slot.stock === null || isCount(slot.stock)))
  if (!isWhole) throw new WrongLineError(number, 'it does not say what was promised')
  if (await sha256(encoder.encode(canonical(table))) !== digest) throw new WrongLineError(number, 'its table is not the one of its digest')
  if (!slots.some(({ weight }) => weight)) throw new WrongLineError(number, 'its table gives nothing')
  for (const slot of slots) if ('release' in slot && !isPlan(slot, epochs)) throw new WrongLineError(number, `it cannot release ${slot.id} like that`)
  return fields
}

/** A plan says how many units there are up to each day: never fewer, and all at the end. */
function isPlan({ stock, release }, epochs) {
  return Array.isArray(release) && release.length === epochs && release.at(-1) === stock
    && release.every((units, at) => isCount(units) && units >= (release[at - 1] ?? 0))
}

const released = ({ stock, release }, epoch) => release ? release[epoch - 1] : stock

/** Go through a file: days, plays, units, and what the next lines have to explain. */
function makeCheck(promise, onPlay) {
  const { slots, fallback } = promise.table
  const pools = new Map(slots.filter(({ stock }) => stock !== null).map((slot) => [slot.id, makePool(slot)]))
  const tickets = new Set()
  const held = new Map()
  const awarded = {}
  const doubts = []
  const overlaps = []
  let days = 0
  let total = 0
  let seed = promise.anchor
  let day

  async function take(number, fields) {
    if ('epoch' in fields && keysAre(fields, 'epoch', 'seed')) await beginDay(number, fields)
    else if ('t' in fields && keysAre(fields, 't', 'c', 'drawn', 'awarded', 'unit')) await checkPlay(number, fields)
    else if (keysAre(fields, 'lapsed')) checkLapse(number, fields.lapsed)
    else if ('end' in fields && keysAre(fields, 'end', 'plays')) endDay(number, fields)
    else throw new WrongLineError(number, 'it is no line that belongs here')
    settle(number - MARGIN)
  }

  async function beginDay(number, fields) {
    if (day || fields.epoch !== days + 1) throw new WrongLineError(number, `day ${days + 1} has to begin here`)
    if (fields.epoch > promise.epochs) throw new WrongLineError(number, 'the campaign has no such day')
    if (!HEX_64.test(fields.seed) || await sha256(unhex(fields.seed)) !== seed) throw new WrongLineError(number, 'its seed does not lead back to the anchor')
    seed = fields.seed
    const key = await crypto.subtle.importKey('raw', unhex(seed), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    day = { epoch: fields.epoch, plays: 0, key }
    for (const { slot, free } of pools.values()) {
      for (let unit = days ? released(slot, days) + 1 : 1; unit <= released(slot, day.epoch); unit++) free.add(unit)
    }
  }

  function endDay(number, { end, plays }) {
    if (end !== day?.epoch || plays !== day.plays) throw new WrongLineError(number, 'the day had another number of plays')
    days = end
    day = undefined
  }

  async function checkPlay(number, play) {
    const { t, c } = play
    if (!day) throw new WrongLineError(number, 'it belongs to no day')
    if (!HEX_32.test(t) || typeof c !== 'string' || (c && !HEX_32.test(c))) throw new WrongLineError(number, 'its ticket or seed has another shape')
    if (tickets.has(t)) throw new WrongLineError(number, 'its ticket has played before')
    tickets.add(t)
    const drawn = await draw(slots, day.key, `iw-1|${promise.campaign}|${promise.digest}|${day.epoch}|${t}|${c}|`)
    if (play.drawn !== drawn) throw new WrongLineError(number, `the draw gives ${drawn}`)
    checkAward(number, play)
    day.plays++
    total++
    awarded[play.awarded] = (awarded[play.awarded] ?? 0) + 1
    onPlay({ ...play, epoch: day.epoch, line: number, total })
  }

  function checkAward(number, { t, drawn, awarded: given, unit }) {
    const pool = pools.get(drawn)
    if (unit === null) {
      if (pool) return checkRanOut(number, { drawn, given, pool })
      if (given !== drawn) throw new WrongLineError(number, `${drawn} cannot run out`)
      return
    }
    if (!pool) throw new WrongLineError(number, `${drawn} has no units`)
    if (given !== drawn || !Number.isInteger(unit) || unit < 1 || unit > pool.slot.stock) throw new WrongLineError(number, `${drawn} has no such unit`)
    if (unit > released(pool.slot, day.epoch)) throw new WrongLineError(number, `unit ${unit} of ${drawn} was not released yet`)
    if (pool.holders.has(unit)) overlaps.push({ slot: drawn, line: number, units: new Set([unit]), why: `unit ${unit} of ${drawn} was taken` })
    pool.free.delete(unit)
    pool.holders.set(unit, t)
    held.set(t, { slot: drawn, unit })
    doubts.forEach((doubt) => { if (doubt.slot === drawn) doubt.units.delete(unit) })
  }

  function checkRanOut(number, { drawn, given, pool }) {
    if (given !== fallback) throw new WrongLineError(number, `${drawn} was drawn and not given`)
    const units = new Set([...pool.free].filter((unit) => number - (pool.returned.get(unit) ?? -MARGIN) > MARGIN))
    const why = `${drawn} had not run out`
    if (units.size > MARGIN) throw new WrongLineError(number, why)
    if (units.size) doubts.push({ slot: drawn, line: number, units, why })
  }

  function checkLapse(number, ticket) {
    if (!day) throw new WrongLineError(number, 'it belongs to no day')
    const what = held.get(ticket)
    held.delete(ticket)
    if (!what) {
      if (!tickets.has(ticket)) throw new WrongLineError(number, 'there is no such play')
      return
    }
    const pool = pools.get(what.slot)
    if (pool.holders.get(what.unit) === ticket) {
      pool.holders.delete(what.unit)
      pool.free.add(what.unit)
      pool.returned.set(what.unit, number)
      return
    }
    overlaps.forEach((doubt) => { if (doubt.slot === what.slot) doubt.units.delete(what.unit) })
  }

  /** Let no doubt stand that has not been explained by now. */
  function settle(until) {
    for (const open of [doubts, overlaps]) {
      while (open.length && open[0].line <= until) {
        const { line, units, why } = open.shift()
        if (units.size) throw new WrongLineError(line, why)
      }
    }
  }

  return {
    take,
    finish(number) {
      settle(number)
      if (day) throw new WrongLineError(number, 'the day does not end')
    },
    report: () => ({ promise, days, plays: total, awarded }),
  }
}

function makePool(slot) {
  return { slot, free: new Set(), holders: new Map(), returned: new Map() }
}

/** Yield the lines of a file as it is read, each with its line feed. */
export async function* linesOf(stream) {
  // What is no UTF-8 becomes another letter, and breaks the chain on its own line.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let rest = ''
  for await (const chunk of chunks(stream)) {
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n')
    rest = parts.pop()
    for (const part of parts) yield part + '\n'
    if (rest.length > LONGEST_LINE) break
  }
  rest += decoder.decode()
  if (rest) yield rest
}

/** Not every browser iterates a stream by itself. */
async function* chunks(stream) {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
