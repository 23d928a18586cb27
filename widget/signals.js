/** What the page says to us and what we say to it: a name, a value, and who listens. */

// A listener of the shop that fails is the browser's to report, and stops nothing.
const bus = new EventTarget()
/** The last value of each name; a trigger that comes later still learns of it. */
export const facts = {}

/** Call `hear` each time a name is said; return how to stop that. */
export function on(name, hear) {
  const open = (event) => hear(event.detail)
  bus.addEventListener(name, open)
  return () => bus.removeEventListener(name, open)
}

export function emit(name, detail) {
  facts[name] = detail
  bus.dispatchEvent(new CustomEvent(name, { detail }))
}
