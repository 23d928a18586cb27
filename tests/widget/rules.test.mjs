import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage, mayOpen } from '../../widget/rules.js'

const rule = { languages: ['nl', 'en'], language: null }
const fresh = { isClosed: false, isStopped: false }
const quiet = { hasModal: false, isTyping: false }

test('the language of the placement comes before every wish', () => {
  assert.equal(chooseLanguage({ ...rule, language: 'nl' }, ['en']), 'nl')
})

test('the tag comes before the page and the browser', () => {
  assert.equal(chooseLanguage(rule, ['en', 'nl', 'nl-NL']), 'en')
})

test('a region is no other language', () => {
  assert.equal(chooseLanguage(rule, [undefined, '', 'EN-gb']), 'en')
})

test('who speaks none of ours gets the first of the campaign', () => {
  assert.equal(chooseLanguage(rule, ['fr', 'pl-PL']), 'nl')
})

test('a fresh page may open, by itself or by a press', () => {
  assert.equal(mayOpen('delay', fresh, quiet), true)
  assert.equal(mayOpen('click', fresh, quiet), true)
})

test('what was closed opens by a press only (CR-12)', () => {
  const closed = { ...fresh, isClosed: true }

  assert.equal(mayOpen('delay', closed, quiet), false)
  assert.equal(mayOpen('click', closed, quiet), true)
})

test('who is too young is not asked again (MI-01)', () => {
  const stopped = { ...fresh, isStopped: true }

  assert.equal(mayOpen('delay', stopped, quiet), false)
  assert.equal(mayOpen('click', stopped, quiet), false)
})

test('another dialog of the page comes first', () => {
  assert.equal(mayOpen('delay', fresh, { ...quiet, hasModal: true }), 'later')
  assert.equal(mayOpen('click', fresh, { ...quiet, hasModal: true }), 'later')
})

test('nobody is interrupted while typing', () => {
  assert.equal(mayOpen('delay', fresh, { ...quiet, isTyping: true }), 'later')
  assert.equal(mayOpen('click', fresh, { ...quiet, isTyping: true }), true)
})
