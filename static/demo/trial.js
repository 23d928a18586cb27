/** What the demo's own pages do: call the widget as a shop would, and start afresh. */

const afresh = document.querySelector('[data-afresh]')

function call(event) {
  const button = event.target.closest('[data-call]')
  if (!button) return
  const queue = (window.jawoord ||= [])
  queue.push(JSON.parse(button.dataset.call))
}

/** Forget what the widget remembers of this session, as a new tab would. */
function forget() {
  sessionStorage.clear()
  location.reload()
}

if (afresh) {
  afresh.hidden = false
  afresh.addEventListener('click', forget)
}
document.addEventListener('click', call)
