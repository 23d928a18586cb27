/** How long a tablet waits for somebody: arithmetic without a page (CR-13, AX-06). */

/** Whoever is asked has 20 seconds to answer, and as often as they like (SC 2.2.1). */
export const ASK_S = 10
export const WIPE_S = 30

/** Return what to do after so many seconds without a touch, and how many are left. */
export function judge(seconds) {
  if (seconds >= WIPE_S) return { act: 'wipe', left: 0 }
  return { act: seconds >= ASK_S ? 'ask' : 'wait', left: Math.ceil(WIPE_S - seconds) }
}
