/** What the frame may say to us, and how we know that it is the frame. */

const LEAST_PX = 100
const MOST_PX = 6000
const KEY = /^[a-z][a-z0-9_]{0,39}$/

/** Return whether a message is a typed one of ours, from this very frame and origin. */
export function isOurs(event, frame, host) {
  return event.source === frame.contentWindow && event.origin === host && event.data?.jawoord === 1
}

/** Return the height a message asks for, in pixels and within reason, or 0. */
export function heightIn({ height }) {
  return height >= LEAST_PX && height <= MOST_PX ? Math.ceil(height) : 0
}

/** Return the keys of the purposes somebody asked for; nothing else gets through. */
export function purposesIn({ purposes }) {
  return Array.isArray(purposes) ? purposes.filter((key) => KEY.test(key)) : []
}
