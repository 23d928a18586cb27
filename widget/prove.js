/**
 * Do the sum that the server asks of a browser it is not sure about (ALTCHA, second
 * version): find the number whose derived key begins as the challenge says.
 */

// What is under way at once: enough for all cores, and the page stays quick.
const AT_ONCE = 8

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16))
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Return the key of one number, in hex. */
async function derive({ nonce, salt, cost, keyLength }, number) {
  const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0])
  new DataView(password.buffer).setUint32(password.length - 4, number)
  const key = await crypto.subtle.importKey('raw', password, 'PBKDF2', false, ['deriveBits'])
  return hex(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes(salt), iterations: cost }, key, keyLength * 8))
}

/** Return the number and its key; the browser's own code does the work, beside the page. */
export async function solve({ parameters }) {
  for (let from = 0; ; from += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, each) => from + each)
    const keys = await Promise.all(numbers.map((number) => derive(parameters, number)))
    const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix))
    if (found >= 0) return { counter: numbers[found], derivedKey: keys[found] }
  }
}

/** Solve the challenge of an input and leave the proof in it. */
export async function prove(input) {
  const challenge = JSON.parse(input.dataset.challenge)
  const solution = await solve(challenge)
  input.value = btoa(JSON.stringify({ challenge, solution }))
}
