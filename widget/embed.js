/** What a shop pastes: starts the placements that its tags name, and listens to the shop. */
import { follow, said } from './here.js'
import { allow } from './memory.js'
import { start } from './placement.js'
import { emit, on } from './signals.js'

const parts = {}
let wanted

/** Open one that was named, or the first; what has yet to come opens when it is there. */
function open(code = Object.keys(parts)[0] ?? '') {
  if (parts[code]) parts[code].open()
  else wanted = code
}

function shown(code, part) {
  parts[code] = part
  if (wanted !== code && wanted !== '') return
  wanted = null
  part.open()
}

const calls = {
  open,
  close: () => Object.values(parts).forEach((part) => part.close()),
  storage: allow,
  on,
  // Each tag runs us, and a tag manager without naming its own: what waits is started.
  start() {
    for (const tag of document.querySelectorAll('script[data-placement][src*="/embed.js"]')) {
      if (!tag.jawoord) start(tag, shown)
      tag.jawoord = true
    }
  },
}

/** `jawoord('open')` is for us; `jawoord('view', 'product')` is a fact for the triggers. */
const call = (name, ...values) => (calls[name] ?? ((value) => emit(name, value ?? true)))(...values)

const before = window.jawoord
if (before?.apply) before('start')
else {
  call.push = (args) => call(...args)
  window.jawoord = call
  allow(said('storage') === 'yes')
  calls.start()
  follow()
  before?.forEach(call.push)
}
