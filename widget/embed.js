/** What a shop pastes: starts the placements that its tags name, and listens to the shop. */
import { follow, said } from './here.js'
import { allow } from './memory.js'
import { start } from './placement.js'
import { emit, on } from './signals.js'

const parts = {}

const calls = {
  open: (code) => (parts[code] ?? Object.values(parts)[0])?.open(),
  close: () => Object.values(parts).forEach((part) => part.close()),
  storage: allow,
  on,
  // Each tag runs us, and a tag manager without naming its own: what waits is started.
  start() {
    for (const tag of document.querySelectorAll('script[data-placement][src*="/embed.js"]')) {
      if (!tag.jawoord) start(tag, (code, part) => { parts[code] = part })
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
