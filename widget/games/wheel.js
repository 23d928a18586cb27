/**
 * The wheel of fortune. The server has decided; turning only shows it. One transition of
 * one element brings the won segment under the pointer, so that it goes on smoothly
 * however busy the page is.
 */

import { buzz, isCalm, makeFlakes } from './motion.js'

const TURNS = 4
// The transition of `.turning` in wheel.css; less than the five seconds after which
// motion needs a way to stop it (SC 2.2.2), though there is one.
const SPIN_MS = 4800
const LATE_MS = 400
// So far from a border that the pointer does not seem to touch it.
const CLEAR = 0.8

/**
 * Return a segment of the won prize and the angle in it to stop at, in degrees.
 * `roll` is from 0 up to 1: every place is as likely as another, so that nothing ends
 * near the next prize more often than chance has it (PZ-05).
 */
export function landing(segments, roll) {
  const room = ({ start, end }) => end - start - 2 * CLEAR
  let left = roll * segments.reduce((sum, each) => sum + room(each), 0)
  for (const segment of segments) {
    if (left < room(segment)) return { segment, angle: segment.start + CLEAR + left }
    left -= room(segment)
  }
  // Adding up may lose the last of the digits.
  return { segment: segments.at(-1), angle: segments.at(-1).end - CLEAR }
}

/** Return how far to turn, in degrees, until an angle of the wheel is at the top. */
export const turnTo = (angle, turns) => turns * 360 + (360 - angle)

/** Turn the wheel to the won prize; `done` is called once, when it stands still. */
export function play(stage, done) {
  const wheel = stage.querySelector('.wheel')
  const disc = wheel.querySelector('.disc')
  const parts = [...disc.querySelectorAll('.segment')].map((element) => ({
    element, prize: element.dataset.prize, start: +element.dataset.start, end: +element.dataset.end,
  }))
  const won = parts.filter(({ prize }) => prize === wheel.dataset.prize)
  const { segment, angle } = landing(won, Math.random())
  const paper = makeFlakes(stage.querySelector('.panel'))
  let isOver = false

  start()
  if (isCalm()) stop()
  else {
    disc.addEventListener('transitionend', stop)
    setTimeout(stop, SPIN_MS + LATE_MS)
    stage.querySelector('[data-reveal]').addEventListener('click', stop)
    wheel.querySelector('.round').scrollIntoView({ block: 'nearest' })
    buzz(12)
  }

  function start() {
    // The page may have come with the outcome drawn, for who has no script.
    disc.querySelector('g').removeAttribute('transform')
    disc.classList.remove('landed')
    parts.forEach(({ element }) => element.classList.remove('won'))
    // Asked for its place, the browser knows where the turn begins.
    disc.getBoundingClientRect()
    disc.classList.toggle('turning', !isCalm())
    disc.style.transform = `rotate(${turnTo(angle, TURNS)}deg)`
  }

  function stop() {
    if (isOver) return
    isOver = true
    disc.classList.remove('turning')
    disc.classList.add('landed')
    segment.element.classList.add('won')
    buzz([10, 40, 20])
    done()
    if (!wheel.querySelector('.result.won')) return
    const { left, top, width, height } = wheel.querySelector('.round').getBoundingClientRect()
    paper.burst(left + width / 2, top + height / 2)
  }
}
