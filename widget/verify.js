/** The pages on which anybody checks a campaign's draws. Once loaded they need no network. */
import { verifyRaffle } from './raffle.js'
import { linesOf, verify, WrongLineError } from './transcript.js'

// Told often enough to see that it goes on, and no more often.
const TELL_EACH = 500
// Of a raffle the anchor is the hash of its secret, and there are no odds.
const { campaign, anchor, digest, draw, labels } = document.querySelector('#verifier').dataset
const names = JSON.parse(labels)
const verdict = document.querySelector('#verdict')
const [title, more, ownLine] = ['title', 'more', 'own'].map((part) => verdict?.querySelector(`.verdict-${part}`))
const own = document.querySelector('#own')
const input = document.querySelector('#file')
let run = 0

const number = (value) => value.toLocaleString(document.documentElement.lang)
const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name])

function say(state, words, rest = '') {
  verdict.hidden = false
  verdict.dataset.state = state
  title.textContent = words
  more.textContent = rest
}

/** Show how often each prize was given. */
function tabulate(awarded) {
  const rows = Object.entries(awarded).sort(([, one], [, other]) => other - one).map(([key, times]) => {
    const row = document.createElement('tr')
    const name = Object.assign(document.createElement('th'), { scope: 'row', textContent: names[key] ?? key })
    row.append(name, Object.assign(document.createElement('td'), { className: 'number', textContent: number(times) }))
    return row
  })
  verdict.querySelector('tbody').replaceChildren(...rows)
  verdict.querySelector('table').hidden = !rows.length
}

/** Check the draws of the days that are over, and find one's own play among them. */
async function checkDraws(lines, mine, isStale) {
  const { counting, right, sums, other, promise: odds, own: found, lost } = verdict.dataset
  let place
  say('busy', filled(counting, { plays: 0 }))
  // In its place and not by a name: the minifier would declare that one too late.
  const { promise, days, plays, awarded } = await verify(lines, {
    onPlay(play) {
      stopIf(isStale())
      if (play.t === mine) place = play
      if (play.total % TELL_EACH === 0) say('busy', filled(counting, { plays: number(play.total) }))
    },
  })
  if (promise.campaign !== campaign) return say('wrong', filled(other, { campaign: promise.campaign }))
  if (promise.anchor !== anchor || promise.digest !== digest) return say('wrong', odds)
  say('right', right, filled(sums, { plays: number(plays), days: number(days) }))
  tabulate(awarded)
  if (!mine) return
  ownLine.textContent = place ? filled(found, { line: number(place.line), day: place.epoch, prize: names[place.awarded] ?? place.awarded }) : lost
}

/** Do a raffle again, and find one's own label in its list. */
async function checkRaffle(lines, mine, isStale) {
  const { counting, right, sums, listed, other, promise: secret, won, reserve, own: found, waits, lost } = verdict.dataset
  let line
  say('busy', filled(counting, { labels: 0 }))
  const { promise, labels: many, places } = await verifyRaffle(lines, {
    onLabel({ label, line: at, total }) {
      stopIf(isStale())
      if (label === mine) line = at
      if (total % TELL_EACH === 0) say('busy', filled(counting, { labels: number(total) }))
    },
  })
  if (promise.campaign !== campaign || promise.draw !== draw) return say('wrong', filled(other, promise))
  if (promise.commitment !== anchor) return say('wrong', secret)
  say('right', right, filled(places ? sums : listed, { labels: number(many), places: number(places?.length ?? 0) }))
  if (!mine) return
  if (!line) return void (ownLine.textContent = lost)
  const at = places?.indexOf(mine) ?? -1
  const prize = promise.units[at]
  const words = !places ? waits : at < 0 ? found : prize ? won : reserve
  ownLine.textContent = filled(words, { line: number(line), place: at + 1, prize: names[prize] ?? prize })
}

function stopIf(isOver) {
  if (isOver) throw new DOMException('another file was chosen', 'AbortError')
}

async function check() {
  const [file] = input.files
  if (!file) return
  const mine = ++run
  const { wrong, unreadable } = verdict.dataset
  ownLine.textContent = ''
  if (!draw) tabulate({})
  try {
    await (draw ? checkRaffle : checkDraws)(linesOf(file.stream()), own.value.replace(/[\s-]/g, '').toLowerCase(), () => mine !== run)
  } catch (error) {
    if (error.name === 'AbortError') return
    const isWrong = error instanceof WrongLineError
    say('wrong', isWrong ? filled(wrong, { line: number(error.line) }) : unreadable)
    // The same words as the command says, for whoever looks into it.
    if (isWrong) more.append(Object.assign(document.createElement('span'), { lang: 'en', textContent: error.why }))
  }
}

// A link in a mail may bring the number along; it never leaves the browser.
if (own) own.value = new URLSearchParams(location.hash.slice(1)).get('play') ?? ''
input?.addEventListener('change', check)
own?.addEventListener('change', check)
