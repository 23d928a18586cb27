import assert from 'node:assert/strict'
import { test } from 'node:test'
import { solve } from '../../widget/prove.js'

// Made with `altcha.create_challenge("PBKDF2/SHA-256", 10, counter=41)` of the Python library.
const CHALLENGE = {
  parameters: {
    algorithm: 'PBKDF2/SHA-256', cost: 10, keyLength: 32, keyPrefix: 'd4e0420f83747d40175cb3ebaa63b53b',
    nonce: 'f77014367caf2e08a5f0a9d61cc9a1dd', salt: '3c9bad67759db0f89ce8fd0fb9f1c07d',
  },
}

test('finds the number that the reference implementation has hidden', async () => {
  const solution = await solve(CHALLENGE)

  assert.equal(solution.counter, 41)
  assert.equal(solution.derivedKey, 'd4e0420f83747d40175cb3ebaa63b53ba86413b5a493d648e9203f16b489fb75')
})
