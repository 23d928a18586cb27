/**
 * Turn the pages of a long form: one `fieldset[data-step]` at a time, with a way back
 * that loses nothing. The next one is named by `data-next` of the chosen input, else of
 * the fieldset, else it is the one below. Without this file all of them are visible.
 */


/** Return which step follows: the chosen answer's, the step's own, or the one below. */
export function following(keys, at, { chosen, own }) {
  const named = chosen || own
  if (!named) return at + 1
  const place = keys.indexOf(named)
  // A name that is no question means the end of them: what comes after the last.
  return place >= 0 ? place : keys.filter((key) => key !== 'terms').length
}

/** Return where a number leads, of ranges written `3:key 7: 10:end`. */
export function leading(ranges, number) {
  const parts = ranges.split(' ').map((range) => range.split(':'))
  return parts.find(([upTo]) => number <= +upTo)?.[1]
}

/** Return the way from the first step to one, and how many steps follow it at most. */
export function wayTo(target, next) {
  const way = []
  for (let at = 0; at < target; at = next(at)) way.push(at)
  return way
}

export function stepsAfter(at, last, next) {
  let count = 0
  for (let each = at; each < last; each = next(each)) count++
  return count
}

/** Show the first step, or the one with the first fault, and move on by the buttons. */
export function prepare(stage, { announce, tell }) {
  const form = stage.querySelector('form')
  const pages = [...form.querySelectorAll('fieldset[data-step]')]
  const keys = pages.map((page) => page.dataset.step)
  const last = pages.length - 1
  const [back, forward, send] = ['back', 'forward', 'send'].map((name) => form.querySelector(`[data-${name}]`))
  const progress = makeProgress()
  const isFaulty = (page) => page.matches('[aria-invalid=true]') || page.querySelector('[aria-invalid=true]')
  const faulty = Math.max(0, pages.findIndex(isFaulty))
  let way = wayTo(faulty, next)
  let at

  function next(from) {
    const slider = pages[from].querySelector('[data-leads]')
    const chosen = pages[from].querySelector('[data-next]:checked')?.dataset.next
    return following(keys, from, { chosen: slider ? leading(slider.dataset.leads, +slider.value) : chosen, own: pages[from].dataset.next })
  }

  /** What follows the last one of this way: then the form can be sent. */
  const isEnd = () => next(at) > last

  function show(to) {
    at = to
    pages.forEach((page, each) => { page.hidden = each !== at })
    look()
    progress.show(way.length, way.length + 1 + stepsAfter(at, last, (each) => Math.min(next(each), last + 1)), stage.dataset.stepWords)
  }

  function look() {
    back.hidden = !way.length
    forward.hidden = isEnd()
    send.hidden = !forward.hidden
  }

  /** Lead there whoever cannot see it. */
  function turn(to) {
    show(to)
    const legend = pages[at].querySelector('legend')
    legend.tabIndex = -1
    legend.focus()
    legend.scrollIntoView({ block: 'nearest' })
    announce.textContent = progress.words
    tell('step', { step: keys[at] })
  }

  /** A question that has no answer says so, and stays. */
  function isAnswered() {
    const page = pages[at]
    const { missing } = page.dataset
    if (!missing || page.querySelector(':checked, [type=range]')) return true
    const said = page.querySelector('.fault') || Object.assign(document.createElement('p'), { className: 'fault', id: `${page.id}-said` })
    said.textContent = missing
    page.querySelector('details').before(said)
    page.setAttribute('aria-describedby', said.id)
    page.setAttribute('aria-invalid', true)
    announce.textContent = missing
    page.querySelector('input').focus()
    return false
  }

  /** Once there is an answer, nothing is at fault any more. */
  function forgive(event) {
    const page = event.target.closest('[data-missing]')
    page?.querySelector('.fault')?.remove()
    page?.removeAttribute('aria-invalid')
    page?.removeAttribute('aria-describedby')
    look()
  }

  function goOn() {
    if (!isAnswered()) return
    way.push(at)
    turn(next(at))
  }

  back.onclick = () => turn(way.pop())
  forward.onclick = goOn
  form.addEventListener('change', forgive)
  // Enter in a field of an early step means: on to the next one.
  form.addEventListener('submit', (event) => {
    if (send.hidden || !isAnswered()) {
      event.preventDefault()
      event.stopPropagation()
      if (send.hidden) goOn()
    }
  })
  form.querySelectorAll('[type=range]').forEach(tellValue)
  pages[0].before(progress.element)
  stage.classList.add('stepped')
  show(faulty)
  // Until now it was hidden, so nothing could lead there.
  const wrong = form.querySelector('[aria-invalid=true]')
  if (wrong) (wrong.matches('input, select, textarea') ? wrong : wrong.querySelector('input')).focus()
}

/** Let a slider say where it stands, to the eye; a screen reader hears it anyway. */
function tellValue(slider) {
  const output = slider.parentElement.querySelector('output')
  const say = () => { output.textContent = slider.value }
  output.hidden = false
  slider.addEventListener('input', say)
  say()
}

/** Make a row of strokes with the words beside it. */
function makeProgress() {
  const element = document.createElement('div')
  const text = document.createElement('p')
  element.className = 'progress'
  return {
    element,
    get words() { return text.textContent },
    show(at, count, words) {
      text.textContent = words.replace('{n}', at + 1).replace('{m}', count)
      const strokes = Array.from({ length: count }, (_, each) => Object.assign(document.createElement('i'), { className: each <= at ? 'past' : '' }))
      element.replaceChildren(text, ...strokes)
    },
  }
}
