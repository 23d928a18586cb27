/** When a dialog opens. Each trigger returns its own stop function. */

const AGAIN_S = 1

/** Fire some seconds after the page is visible; hidden and prerendered pages wait. */
export function afterDelay(fire, seconds, page = document) {
  let timer
  function wait(more) {
    timer = setTimeout(() => {
      if (fire() === 'later') wait(AGAIN_S)
    }, more * 1000)
  }
  function arm() {
    if (page.hidden) return
    stop()
    wait(seconds)
  }
  const stop = () => {
    clearTimeout(timer)
    page.removeEventListener('visibilitychange', arm)
  }
  page.addEventListener('visibilitychange', arm)
  arm()
  return stop
}

/** Fire on a press of what the selector names, also when it comes into the page later. */
export function onPress(fire, selector, page = document) {
  function press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return
    if (event.target.closest?.(selector) && fire() === true) event.preventDefault()
  }
  page.addEventListener('click', press)
  return () => page.removeEventListener('click', press)
}

/** Arm what the rule names and return how to stop each. */
export function watch({ delay_seconds: seconds, selector }, open) {
  const idle = () => {}
  return {
    press: selector ? onPress(() => open('click'), selector) : idle,
    delay: seconds == null ? idle : afterDelay(() => open('delay'), seconds),
  }
}
