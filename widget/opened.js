/** Say once that somebody sees the page of a box code: a scanner shows it to nobody. */
const { action } = document.querySelector('script[data-action]').dataset

function tell() {
  if (document.visibilityState !== 'visible') return
  document.removeEventListener('visibilitychange', tell)
  const ticket = document.querySelector('[name=ticket]')?.value
  if (ticket) navigator.sendBeacon(action, new URLSearchParams({ ticket }))
}

document.addEventListener('visibilitychange', tell)
tell()
