/* What the office adds to plain pages: a press on Copy, and errors said aloud. */

const notice = document.getElementById('notice')

/** Say what htmx could not do; it leaves the page as it was. */
function say(what) {
  notice.textContent = notice.dataset[what]
}

document.addEventListener('htmx:before:request', () => { notice.textContent = '' })
document.addEventListener('htmx:response:error', (event) => {
  say(event.detail.ctx.response.status === 403 ? 'forbidden' : 'failed')
})
document.addEventListener('htmx:error', () => say('unreachable'))

// Without a clipboard (no HTTPS) the tag can still be selected, so no button shows.
for (const button of navigator.clipboard ? document.querySelectorAll('[data-copy]') : []) {
  const name = button.textContent
  button.hidden = false
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent)
    button.textContent = button.dataset.done
    setTimeout(() => { button.textContent = name }, 2000)
  })
}
