/** What the games share: whether things may move, a tap in the hand, and paper in the air. */

const CALM = matchMedia('(prefers-reduced-motion: reduce)')
const MOST_FLAKES = 100
const TALLEST_PX = 1400

/** Return whether somebody asked for as little motion as can be. */
export const isCalm = () => CALM.matches

/** Let the device be felt, where it can be; a pattern is milliseconds on, off, on. */
export const buzz = (pattern) => navigator.vibrate?.(pattern)

/**
 * Dust that falls and paper that bursts over a panel: one canvas, one loop while
 * anything moves. It ends at the panel's edge: below it there is a form to read and
 * fill in. Somebody who wants calm gets nothing of it.
 */
export function makeFlakes(panel) {
  const canvas = document.createElement('canvas')
  canvas.className = 'dust'
  const pen = canvas.getContext('2d')
  const style = getComputedStyle(panel)
  const colour = (name) => style.getPropertyValue(name).trim()
  const paper = [colour('--accent'), colour('--accent'), '#fff', '#ffd45e', colour('--accent-text-dark')]
  const metal = [colour('--foil-1'), colour('--foil-2'), colour('--foil-3')]
  let flying = []
  let box
  let before
  let isRunning = false

  function start() {
    isRunning = true
    box = panel.getBoundingClientRect()
    canvas.width = box.width
    canvas.height = Math.min(box.height, TALLEST_PX)
    panel.append(canvas)
    before = 0
    requestAnimationFrame(draw)
  }

  function add(x, y, flake) {
    if (isCalm() || flying.length >= MOST_FLAKES) return
    if (!isRunning) start()
    flying.push({ x: x - box.left, y: y - box.top, turn: Math.random() * 6, ...flake })
  }

  function draw(now) {
    const step = Math.min(40, now - (before || now)) / 1000
    before = now
    pen.clearRect(0, 0, canvas.width, canvas.height)
    flying = flying.filter((each) => (each.life -= step) > 0)
    for (const each of flying) {
      each.vy += each.pull * step
      each.vx *= 1 - 1.4 * step
      each.x += each.vx * step
      each.y += each.vy * step
      each.turn += each.spin * step
      pen.globalAlpha = Math.min(1, each.life * 2)
      pen.fillStyle = each.tint
      pen.setTransform(Math.cos(each.turn), Math.sin(each.turn), -Math.sin(each.turn), Math.cos(each.turn), each.x, each.y)
      // A turning sheet of paper gets narrow and wide again.
      const wide = each.size * (0.3 + 0.7 * Math.abs(Math.cos(each.turn * 1.7)))
      pen.fillRect(-wide / 2, -each.size / 3, wide, each.size / 1.5)
    }
    pen.setTransform(1, 0, 0, 1, 0, 0)
    pen.globalAlpha = 1
    isRunning = flying.length > 0
    if (isRunning) requestAnimationFrame(draw)
    else canvas.remove()
  }

  const any = (list) => list[Math.floor(Math.random() * list.length)]
  const about = (middle, spread) => middle + (Math.random() - 0.5) * spread
  return {
    fall(x, y, count) {
      for (let i = 0; i < count; i++) {
        add(about(x, 30), about(y, 20), {
          vx: about(0, 120), vy: about(-40, 80), pull: 700, spin: about(0, 20), size: about(5, 5), life: about(0.7, 0.4), tint: any(metal),
        })
      }
    },
    burst(x, y) {
      flying = []
      for (let i = 0; i < MOST_FLAKES; i++) {
        const angle = Math.random() * 6.3
        const speed = 180 + Math.random() * 460
        add(about(x, 60), about(y, 20), {
          vx: Math.cos(angle) * speed, vy: Math.sin(angle) * speed - 160, pull: 620, spin: about(0, 16), size: about(13, 8), life: about(1.9, 0.9), tint: any(paper),
        })
      }
    },
  }
}
