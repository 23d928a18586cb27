import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage } from '../../widget/language.js'

const rule = { languages: ['nl', 'en'], language: null }

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
