/** A mail address that was probably mistyped: ask, and never change it unasked. */

const HOSTS = [
  'gmail.com', 'hotmail.com', 'hotmail.nl', 'outlook.com', 'live.nl', 'icloud.com', 'yahoo.com', 'mail.com', 'gmx.com', 'gmx.net', 'live.com', 'me.com', 'proton.me', 'ziggo.nl',
  'kpnmail.nl', 'xs4all.nl', 'planet.nl', 'home.nl', 'hetnet.nl', 'telfort.nl', 'upcmail.nl', 'solcon.nl', 'casema.nl',
]
const ENDS = { con: 'com', cmo: 'com', comm: 'com', ocm: 'com', nll: 'nl', ln: 'nl' }
const FAR = 2

/** Return how many letters have to be changed, added, dropped or swapped. */
export function distance(a, b) {
  const rows = [...Array(a.length + 1)].map((_, i) => [i])
  for (let j = 0; j <= b.length; j++) rows[0][j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1)
    }
  }
  return rows[a.length][b.length]
}

/** Return the address that was probably meant, or nothing where it looks right. */
export function suggestion(typed) {
  const [local, host, more] = typed.trim().toLowerCase().split('@')
  if (!local || !host || more !== undefined || HOSTS.includes(host)) return undefined
  const near = HOSTS.map((each) => [distance(host, each), each]).sort(([a], [b]) => a - b)[0]
  if (near[0] <= FAR && near[0] < near[1].length / 4) return `${local}@${near[1]}`
  const end = ENDS[host.split('.').at(-1)]
  return end && `${local}@${host.replace(/[^.]+$/, end)}`
}

/** Offer what was probably meant below the field, as a button. */
function offer({ target }) {
  if (target.name !== 'email') return
  const place = target.closest('.field').querySelector('[data-suggest]')
  const meant = suggestion(target.value)
  place.replaceChildren()
  if (!meant) return
  const button = Object.assign(document.createElement('button'), {
    type: 'button', className: 'quiet', textContent: place.dataset.suggest.replace('{address}', meant),
  })
  button.addEventListener('click', () => {
    target.value = meant
    place.replaceChildren()
    target.focus()
  })
  place.append(button)
}

globalThis.document?.addEventListener('change', offer)
