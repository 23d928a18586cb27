/** The page on which anybody checks a campaign's draws. Once loaded it needs no network. */
import { linesOf, verify, WrongLineError } from './transcript.js'

// Told often enough to see that it goes on, and no more often.
const TELL_EACH = 500
const { campaign, anchor, digest, labels } = document.querySelector('#verifier').dataset
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

async function check() {
  const [file] = input.files
  if (!file) return
  const mine = ++run
  const ticket = own.value.replace(/[\s-]/g, '').toLowerCase()
  const { counting, right, sums, wrong, other, promise: odds, unreadable, own: found, lost } = verdict.dataset
  let place
  tabulate({})
  ownLine.textContent = ''
  say('busy', filled(counting, { plays: 0 }))
  const onPlay = (play) => {
    if (mine !== run) throw new DOMException('another file was chosen', 'AbortError')
    if (play.t === ticket) place = play
    if (play.total % TELL_EACH === 0) say('busy', filled(counting, { plays: number(play.total) }))
  }
  try {
    const { promise, days, plays, awarded } = await verify(linesOf(file.stream()), { onPlay })
    if (promise.campaign !== campaign) return say('wrong', filled(other, { campaign: promise.campaign }))
    if (promise.anchor !== anchor || promise.digest !== digest) return say('wrong', odds)
    say('right', right, filled(sums, { plays: number(plays), days: number(days) }))
    tabulate(awarded)
    if (!ticket) return
    ownLine.textContent = place ? filled(found, { line: number(place.line), day: place.epoch, prize: names[place.awarded] ?? place.awarded }) : lost
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
