/**
 * The scratch card: foil on a canvas over a result that is already there. The server
 * decided; scratching only shows it. Pixels are never read back: a grid of cells
 * remembers where the coin has been.
 */

import { buzz, isCalm, makeFlakes } from './motion.js'

const COLUMNS = 24
const ROWS = 14

/** Return the cells whose middle lies within a radius of the line from a to b. */
export function cellsAlong(a, b, radius, width, height) {
  const cells = []
  const wide = width / COLUMNS
  const high = height / ROWS
  const first = (low, size) => Math.max(0, Math.floor((low - radius) / size))
  const last = (top, size, most) => Math.min(most - 1, Math.floor((top + radius) / size))
  const dx = b.x - a.x
  const dy = b.y - a.y
  const length = dx * dx + dy * dy || 1
  for (let row = first(Math.min(a.y, b.y), high); row <= last(Math.max(a.y, b.y), high, ROWS); row++) {
    for (let column = first(Math.min(a.x, b.x), wide); column <= last(Math.max(a.x, b.x), wide, COLUMNS); column++) {
      const x = (column + 0.5) * wide
      const y = (row + 0.5) * high
      const along = Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / length))
      const off = Math.hypot(x - a.x - along * dx, y - a.y - along * dy)
      if (off <= radius) cells.push(row * COLUMNS + column)
    }
  }
  return cells
}

/** Return what was scratched, 0 to 1. */
export const shareOf = (visited) => visited.size / (COLUMNS * ROWS)

/** Lay the foil and let it be scratched; `done` is called once, when the result shows. */
export function play(stage, done) {
  const card = stage.querySelector('.card')
  const pane = stage.querySelector('[data-foil]')
  const button = stage.querySelector('[data-reveal]')
  const canvas = document.createElement('canvas')
  canvas.className = 'foiled'
  const pen = canvas.getContext('2d')
  const shine = document.createElement('div')
  shine.className = 'shine'
  const visited = new Set()
  const enough = pane.dataset.enough / 100
  const flakes = makeFlakes(stage.querySelector('.panel'))
  let path = []
  let last = null
  let frame = 0
  let isOpen = false

  pane.append(canvas, shine)
  const ratio = Math.min(2, devicePixelRatio || 1)
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  const radius = Math.max(20, width / 13)
  canvas.width = width * ratio
  canvas.height = height * ratio
  pen.scale(ratio, ratio)
  const foil = { width, height, kind: pane.dataset.foil, words: pane.dataset.words, style: getComputedStyle(pane) }
  drawFoil(pen, foil)
  const art = pane.querySelector('.foil-art')
  art?.decode().then(() => visited.size || layArt(pen, art, foil)).catch(() => {})
  pen.globalCompositeOperation = 'destination-out'
  pen.lineCap = pen.lineJoin = 'round'
  pen.lineWidth = radius * 2

  const box = { left: 0, top: 0 }
  const spot = (event) => ({ x: event.clientX - box.left, y: event.clientY - box.top })

  function down(event) {
    if (event.button > 0 || isOpen) return
    Object.assign(box, place(canvas))
    canvas.setPointerCapture?.(event.pointerId)
    last = spot(event)
    path = [last, last]
    buzz(10)
    soon()
  }

  function move(event) {
    if (!last) Object.assign(box, place(canvas))
    const to = spot(event)
    shine.style.transform = `translate(${to.x - width / 2}px, ${to.y - height / 2}px)`
    if (!last) return
    const steps = event.getCoalescedEvents?.() ?? []
    path.push(...(steps.length ? steps.map(spot) : [to]))
    soon()
  }

  function up() {
    last = null
  }

  function soon() {
    frame ||= requestAnimationFrame(stroke)
  }

  function stroke() {
    frame = 0
    if (path.length < 2 || isOpen) return
    pen.beginPath()
    pen.moveTo(path[0].x, path[0].y)
    for (let i = 1; i < path.length; i++) {
      pen.lineTo(path[i].x, path[i].y)
      cellsAlong(path[i - 1], path[i], radius, width, height).forEach((cell) => visited.add(cell))
    }
    pen.stroke()
    const end = path.at(-1)
    flakes.fall(box.left + end.x, box.top + end.y, 3)
    path = [end]
    if (shareOf(visited) >= enough) open()
  }

  function open() {
    if (isOpen) return
    isOpen = true
    shine.remove()
    buzz([10, 40, 20])
    canvas.classList.add('gone')
    card.classList.add('opened')
    setTimeout(() => canvas.remove(), isCalm() ? 0 : 700)
    done()
    if (!pane.querySelector('.won')) return
    const { left, top } = place(canvas)
    flakes.burst(left + width / 2, top + height / 2)
  }

  canvas.addEventListener('pointerdown', down)
  canvas.addEventListener('pointermove', move)
  canvas.addEventListener('pointerup', up)
  canvas.addEventListener('pointercancel', up)
  button.addEventListener('click', open)
}

/** The card may still be moving in, so its place is asked when it matters. */
function place(canvas) {
  const { left, top } = canvas.getBoundingClientRect()
  return { left, top }
}

function drawFoil(pen, { width, height, kind, words, style }) {
  const colour = (name) => style.getPropertyValue(name).trim()
  drawMetal(pen, { width, height, colour })
  PATTERNS[kind]?.(pen, width, height)
  drawWords(pen, { width, height, words, style, ink: colour('--foil-ink') || '#2a251f' })
}

/** Lay the shop's own picture over all of the pattern, and the words on a plate of paper. */
function layArt(pen, art, { width, height, words, style }) {
  const grow = Math.max(width / art.naturalWidth, height / art.naturalHeight)
  const [wide, high] = [art.naturalWidth * grow, art.naturalHeight * grow]
  pen.save()
  pen.globalCompositeOperation = 'source-over'
  pen.drawImage(art, (width - wide) / 2, (height - high) / 2, wide, high)
  pen.font = fontOf(width, style)
  const half = Math.min(width - 16, pen.measureText(words).width + 36) / 2
  pen.fillStyle = '#fffdf9e6'
  pen.beginPath()
  pen.roundRect(width / 2 - half, height / 2 - 24, half * 2, 48, 24)
  pen.fill()
  drawWords(pen, { width, height, words, style, ink: '#1c1813' })
  pen.restore()
}

const fontOf = (width, style) => `750 ${Math.max(18, Math.min(24, width * 0.075))}px ${style.fontFamily}`

function drawWords(pen, { width, height, words, style, ink }) {
  pen.fillStyle = ink
  pen.textAlign = 'center'
  pen.textBaseline = 'middle'
  pen.font = fontOf(width, style)
  pen.shadowColor = '#fffa'
  pen.shadowOffsetY = 2
  pen.fillText(words, width / 2, height / 2, width - 24)
  pen.shadowColor = 'transparent'
}

function drawMetal(pen, { width, height, colour }) {
  // The same slant as the foil of the promise in scratch.css: 112 degrees.
  const x = (width * 0.927 + height * 0.375) / 2 * 0.927
  const y = (width * 0.927 + height * 0.375) / 2 * 0.375
  const metal = pen.createLinearGradient(width / 2 - x, height / 2 - y, width / 2 + x, height / 2 + y)
  const bands = [1, 3, 4, 2, 3, 4, 1]
  bands.forEach((tone, i) => {
    try {
      metal.addColorStop([0, 0.24, 0.42, 0.58, 0.72, 0.88, 1][i], colour(`--foil-${tone}`))
    } catch {
      metal.addColorStop(i / 6, ['#979187', '#d5d0c7', '#fbf8f2', '#b5afa5'][tone - 1])
    }
  })
  pen.fillStyle = metal
  pen.fillRect(0, 0, width, height)
  const light = pen.createRadialGradient(width * 0.28, height * 0.1, 0, width * 0.28, height * 0.1, width * 0.5)
  light.addColorStop(0, '#fffc')
  light.addColorStop(1, '#fff0')
  pen.fillStyle = light
  pen.fillRect(0, 0, width, height)
}

const PATTERNS = {
  grain(pen, width, height) {
    for (let i = 0; i < (width * height) / 9; i++) {
      pen.fillStyle = i % 2 ? '#fff4' : '#0002'
      pen.fillRect(Math.random() * width, Math.random() * height, 1, 1)
    }
  },
  stripes(pen, width, height) {
    pen.strokeStyle = '#fff5'
    pen.lineWidth = 5
    pen.beginPath()
    for (let x = -height; x < width; x += 15.5) {
      pen.moveTo(x, height)
      pen.lineTo(x + height, 0)
    }
    pen.stroke()
  },
  dots(pen, width, height) {
    pen.fillStyle = '#fff8'
    pen.beginPath()
    for (let y = 6.5; y < height; y += 13) {
      for (let x = 6.5; x < width; x += 13) {
        pen.moveTo(x + 2.2, y)
        pen.arc(x, y, 2.2, 0, 7)
      }
    }
    pen.fill()
  },
}
