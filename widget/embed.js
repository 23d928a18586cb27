/** What a shop pastes: finds its own tag and starts the placement named there. */
import { start } from './placement.js'

const own = document.currentScript
// A tag manager may run us without naming the tag: then all that wait are started.
const tags = own?.dataset.placement ? [own] : document.querySelectorAll('script[data-placement][src$="/embed.js"]')
for (const tag of tags) {
  if (!tag.jawoord) start(tag)
  tag.jawoord = true
}
