/**
 * Turn the pages of a long form: one `fieldset[data-step]` at a time, with a way back
 * that loses nothing. The next one is named by `data-next` of the chosen input, else of
 * the fieldset, else it is the one below. Without this file all of them are visible.
 */

/** Return which step follows: the chosen answer's, the step's own, or the one below. */
export function following(keys, at, { chosen, own }) {
  const named = keys.indexOf(chosen || own)
  return named >= 0 ? named : at + 1
}

/** Return the way to a step in a form that comes back with faults. */
export function wayTo(at) {
  return Array.from({ length: at }, (_, each) => each)
}

/** Show the first step, or the one with the first fault, and move on by the buttons. */
export function prepare(stage, announce) {
  const form = stage.querySelector('form')
  const pages = [...form.querySelectorAll('fieldset[data-step]')]
  const keys = pages.map((page) => page.dataset.step)
  const [back, forward, send] = ['back', 'forward', 'send'].map((name) => form.querySelector(`[data-${name}]`))
  const progress = makeProgress(pages.length)
  const faulty = Math.max(0, pages.findIndex((page) => page.querySelector('[aria-invalid=true]')))
  let way = wayTo(faulty)
  let at

  function show(next) {
    at = next
    pages.forEach((page, each) => { page.hidden = each !== at })
    back.hidden = !way.length
    forward.hidden = at === pages.length - 1
    send.hidden = !forward.hidden
    progress.show(at, stage.dataset.stepWords)
  }

  /** Lead there whoever cannot see it. */
  function turn(next) {
    show(next)
    const legend = pages[at].querySelector('legend')
    legend.tabIndex = -1
    legend.focus()
    legend.scrollIntoView({ block: 'nearest' })
    announce.textContent = progress.words
  }

  function goOn() {
    const page = pages[at]
    const chosen = page.querySelector('[data-next]:checked, option[data-next]:checked')
    const next = following(keys, at, { chosen: chosen?.dataset.next, own: page.dataset.next })
    way.push(at)
    turn(Math.min(next, pages.length - 1))
  }

  back.onclick = () => turn(way.pop())
  forward.onclick = goOn
  // Enter in a field of an early step means: on to the next one.
  form.addEventListener('submit', (event) => {
    if (send.hidden) {
      event.preventDefault()
      event.stopPropagation()
      goOn()
    }
  })
  pages[0].before(progress.element)
  stage.classList.add('stepped')
  show(faulty)
}

/** Make a row of strokes with the words beside it. */
function makeProgress(count) {
  const element = document.createElement('div')
  const text = document.createElement('p')
  const strokes = wayTo(count).map(() => document.createElement('i'))
  element.className = 'progress'
  element.append(text, ...strokes)
  return {
    element,
    get words() { return text.textContent },
    show(at, words) {
      text.textContent = words.replace('{n}', at + 1).replace('{m}', count)
      strokes.forEach((stroke, each) => { stroke.className = each <= at ? 'past' : '' })
    },
  }
}
