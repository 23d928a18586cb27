/**
 * The page in the frame: sends forms without leaving the page, keeps what was typed
 * when the network or the server fails, and talks with the loader around it.
 * Without this file every form still works as a plain POST.
 */

const TRIES = 4
const SLOWEST_MS = 20000
const CONSENT = 'consent.'
const MOST_SUMS = 3
const ANSWER_MS = 120
const UNCLAIMED_MS = 55 * 60000
const stage = () => document.querySelector('#stage')
const announce = document.querySelector('#announce')
const coming = document.querySelector('[rel=modulepreload]')
const waiting = []
const scheme = new URLSearchParams(location.search).get('scheme')
let host
let height
let sums = 0
let tabs
let card

/** Tell the loader; before its hello we do not know whom we may tell. */
function tell(type, more) {
  const message = { jawoord: 1, type, ...more }
  if (host) parent.postMessage(message, host)
  else waiting.push(message)
}

function hear(event) {
  if (event.source !== parent || parent === window || event.data?.jawoord !== 1) return
  if (event.data.type === 'last') return tabbable().at(-1)?.focus()
  if (event.data.type !== 'hello') return
  host = event.origin
  showWhatNeedsScript()
  if (event.data.isModal) closeRound()
  waiting.splice(0).forEach((message) => parent.postMessage(message, host))
}

const tabbable = () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter((each) => each.tabIndex >= 0 && !each.disabled && !each.closest('[inert]') && each.checkVisibility({ visibilityProperty: true }))

/**
 * A dialog keeps the focus: who tabs past the end of this page goes round to its button.
 * Left alone, Chromium leads them to the next frame of ours in the shop's page (AX-04).
 */
function closeRound() {
  const end = document.createElement('span')
  end.tabIndex = 0
  end.onfocus = () => tell('end')
  document.body.append(end)
}

/** The stage fills the frame, so its own height is measured without that. */
function measure() {
  const root = stage()
  root.style.minHeight = 0
  const now = Math.ceil(root.getBoundingClientRect().height)
  root.style.minHeight = ''
  if (now !== height) tell('size', { height: height = now })
}

function showWhatNeedsScript() {
  stage().querySelectorAll('[data-copy], [data-skip]' + (host ? ', [data-close]' : '')).forEach((each) => { each.hidden = false })
}

const sizes = new ResizeObserver(measure)

/** Give the new stage its life: its size, its game, its news for the host page. */
function wake() {
  const root = stage()
  sizes.disconnect()
  root.querySelectorAll('.panel > *, .flow').forEach((part) => sizes.observe(part))
  showWhatNeedsScript()
  root.dataset.tell?.split(' ').forEach((type) => tell(type))
  if (root.dataset.game) seal(root)
  const sum = root.querySelector('[data-prove]')
  if (sum && sums++ < MOST_SUMS) prove(sum)
  // Without the module all steps stand below each other, and work.
  if (root.dataset.steps) import(root.dataset.steps).then(({ prepare }) => prepare(root, { announce, tell }), () => root.classList.add('whole'))
}

/** Hide what comes after the play until it was played; a game that fails hides nothing. */
async function seal(root) {
  const heading = root.querySelector('h1')
  const outcome = heading.textContent
  const show = (sealed) => {
    root.querySelectorAll('[data-before]').forEach((each) => { each.hidden = !sealed })
    root.querySelectorAll('[data-after]').forEach((each) => { each.hidden = sealed })
    heading.textContent = sealed ? heading.dataset.sealed : outcome
    root.classList.toggle('sealed', sealed)
    root.querySelector('.result').inert = sealed
    root.querySelector('.window')?.classList.toggle('foil', sealed)
    document.title = heading.textContent
  }
  const reveal = () => {
    const hadFocus = document.activeElement?.matches('[data-reveal]')
    show(false)
    announce.textContent = outcome
    if (hadFocus) heading.focus()
  }
  show(true)
  try {
    const game = await import(root.dataset.game)
    game.play(root, reveal)
  } catch {
    reveal()
  }
}

/** Put the answer in place and lead the visitor to it. */
function swap(html) {
  const next = new DOMParser().parseFromString(html, 'text/html').querySelector('#stage')
  if (!next) return false
  announce.textContent = ''
  // What a game has moved stays as it lies.
  next.querySelectorAll('[data-keep]').forEach((each) => {
    const kept = document.getElementById(each.id)
    if (kept) each.replaceWith(kept)
  })
  next.classList.add('fresh')
  stage().replaceWith(next)
  wake()
  const heading = next.querySelector('h1')
  document.title = heading.textContent
  const fault = next.querySelector('[aria-invalid]')
  const target = fault && !fault.matches('input, select, textarea') ? fault.querySelector('input') : fault
  if (!target) scrollTo(0, 0)
  heading.tabIndex = -1
  ;(target || heading).focus()
  return true
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Send the same ticket again until it is answered: the server never plays it twice. */
async function send(form, body, onWait) {
  for (let tried = 1; tried <= TRIES; tried++) {
    let seconds = 2 ** (tried - 1)
    try {
      const answer = await fetch(form.action, {
        method: 'POST', body, headers: { 'HX-Request': 'true' }, signal: AbortSignal.timeout(SLOWEST_MS),
      })
      if (answer.status < 500) return await answer.text()
      seconds = Math.min(30, +answer.headers.get('Retry-After') || seconds)
    } catch { /* No network: the same as busy. */ }
    if (tried === TRIES) return null
    onWait()
    await pause(seconds * 1000 + Math.random() * 500)
  }
}

function submit(event) {
  const form = event.target
  if (!form.closest('#stage')) return
  event.preventDefault()
  if (form.ariaBusy !== 'true') post(form)
}

/** Say something beside a form's button, and aloud. */
function say(form, words) {
  const note = form.querySelector('[data-note]')
  announce.textContent = note.textContent = words
  note.hidden = !words
}

/** A server that is not sure of us sets a sum; once that is done, the form goes again. */
async function prove(input) {
  const { form } = input
  form.ariaBusy = 'true'
  say(form, input.dataset.said)
  try {
    await (await import(input.dataset.prove)).prove(input)
  } catch {
    form.ariaBusy = 'false'
    return say(form, announce.dataset.failed)
  }
  post(form)
}

/**
 * The answer brings the form anew, for browsers without script. Ours stays as it is,
 * with its words, its step and its focus: it takes the sum alone.
 */
function takeSum(form, html) {
  const sum = new DOMParser().parseFromString(html, 'text/html').querySelector('[data-prove]')
  if (!sum || sums++ >= MOST_SUMS) return false
  form.elements.proof?.remove()
  form.append(sum)
  prove(sum)
  return true
}

/**
 * One card for all open tabs of this browser: who has turned one and not said yet who
 * they are gets that one again (PZ-10). Tabs only talk, from the press to the claim;
 * nothing is kept anywhere, and a page nobody plays on can rest in the browser's cache.
 */
async function takeOpenCard({ action, elements: { ticket, seed } }) {
  if (!('BroadcastChannel' in window)) return
  if (!tabs) {
    tabs = new BroadcastChannel('jawoord')
    tabs.onmessage = hearTab
  }
  if (!isOpen(card)) card = { game: action, ticket: ticket.value, seed: seed.value, at: Date.now(), isTurned: false }
  tabs.postMessage({ ask: card })
  await pause(ANSWER_MS)
  card = { ...card, isTurned: true }
  ticket.value = card.ticket
  seed.value = card.seed
}

/** What is not claimed within the hour is back in the game. */
const isOpen = (any) => any && Date.now() - any.at < UNCLAIMED_MS

/** Of two tabs that ask at once, both go by the same one. */
function hearTab({ data: { ask, told, gone } }) {
  if (gone && gone === card?.ticket) card = undefined
  const other = ask ?? told
  if (!other || other.game !== card?.game || !isOpen(card)) return
  if (ask) tabs.postMessage({ told: card })
  if (!card.isTurned && (other.isTurned || other.ticket < card.ticket)) card = other
}

async function post(form) {
  const seed = form.elements.seed
  if (seed && !seed.value) seed.value = hex(crypto.getRandomValues(new Uint8Array(16)))
  form.ariaBusy = 'true'
  say(form, '')
  if ('oneCard' in form.dataset) await takeOpenCard(form)
  // The game and what it needs come while the server decides.
  if (coming) import(coming.href).catch(() => {})
  const answer = await send(form, new URLSearchParams(new FormData(form)), () => say(form, announce.dataset.wait))
  if (answer && takeSum(form, answer)) return
  form.ariaBusy = 'false'
  if (!answer || !swap(answer)) return say(form, announce.dataset.failed)
  sums = 0
  if (card && stage().dataset.tell?.includes('done')) {
    tabs.postMessage({ gone: card.ticket })
    tabs.close()
    tabs = card = undefined
  }
  const purposes = [...form.elements].filter((each) => each.checked && each.name.startsWith(CONSENT)).map((each) => each.name.slice(CONSENT.length))
  // Asked for, and not given before the mail is confirmed (EM-05).
  if (purposes.length && stage().dataset.tell?.includes('done')) tell('consent', { purposes })
}

/** Who only wants to see a result is done, and is asked nothing any more. */
function skip() {
  stage().querySelector('#claim').remove()
  stage().querySelectorAll('.steps li').forEach((each, _, all) => {
    each.className = 'past'
    each.ariaCurrent = each === [...all].at(-1) ? 'step' : null
  })
  stage().querySelector('h1').focus()
  scrollTo(0, 0)
}

async function press(event) {
  const button = event.target.closest('[data-close], [data-copy], [data-skip]')
  if (!button) return
  if ('skip' in button.dataset) return skip()
  if ('close' in button.dataset) return tell('close')
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    announce.textContent = button.textContent = announce.dataset.copied
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector('code'))
  }
}

// A dark card in a shop that knows no night would look like a hole in it.
if (scheme === 'light') document.documentElement.dataset.scheme = scheme
// One line unfolds for good: folding under a finger would move the button away from it.
addEventListener('focusin', ({ target }) => { if (target.matches('.compact input')) target.form.classList.add('open') })
addEventListener('message', hear)
addEventListener('submit', submit)
addEventListener('click', press)
addEventListener('keydown', (event) => { if (event.key === 'Escape' && !event.isComposing) tell('close') })
wake()
