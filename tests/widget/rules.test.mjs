import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseLanguage, hasBudget, isPlace, mayOpen } from '../../widget/rules.js'

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

test('a fresh page may open, by itself or by a press', () => {
  assert.equal(mayOpen(false, {}), true)
  assert.equal(mayOpen(true, {}), true)
})

test('what was closed opens by a press only (CR-12)', () => {
  assert.equal(mayOpen(false, { past: 'closed' }), false)
  assert.equal(mayOpen(true, { past: 'closed' }), true)
})

test('who has entered is offered nothing more, but may press (CR-08)', () => {
  assert.equal(mayOpen(false, { all: 'done' }), false)
  assert.equal(mayOpen(true, { all: 'done' }), true)
})

test('who is too young is not asked again (MI-01)', () => {
  assert.equal(mayOpen(false, { all: 'stopped' }), false)
  assert.equal(mayOpen(true, { all: 'stopped' }), false)
})

test('another dialog of the page comes first', () => {
  assert.equal(mayOpen(false, { busy: true }), 'later')
  assert.equal(mayOpen(true, { busy: true }), 'later')
})

test('nobody is interrupted while typing, or on a page that does not fit', () => {
  assert.equal(mayOpen(false, { unfit: true }), 'later')
  assert.equal(mayOpen(true, { unfit: true }), true)
})

const page = { url: '/sale/shoes?color=red', lang: 'nl', visit: 'new' }

test('a page is let in and kept out by its address', () => {
  assert.equal(isPlace({ in: '^/sale[^?]*(?:\\?|$)' }, page), true)
  assert.equal(isPlace({ in: '^/sale(?:\\?|$)' }, page), false)
  assert.equal(isPlace({ out: '[?&]color=red(?:&|$)' }, page), false)
  assert.equal(isPlace({ out: '[?&]color=re(?:&|$)' }, page), true)
})

test('the checkout is no place, whatever its address', () => {
  assert.equal(isPlace({}, { ...page, kind: 'checkout' }), false)
  assert.equal(isPlace(undefined, { ...page, kind: 'product' }), true)
})

test('language, visit and where somebody comes from count', () => {
  assert.equal(isPlace({ lang: ['nl'] }, page), true)
  assert.equal(isPlace({ lang: ['en'] }, page), false)
  assert.equal(isPlace({ visit: 'returning' }, page), false)
  assert.equal(isPlace({}, { ...page, mail: true }), false)
  assert.equal(isPlace({ mail: true }, { ...page, mail: true }), true)
})

test('one budget for the session and one for the day', () => {
  assert.equal(hasBudget([1, 2], 0, 0), true)
  assert.equal(hasBudget([1, 2], 1, 0), false)
  assert.equal(hasBudget([5, 2], 0, 2), false)
  assert.equal(hasBudget([0, 2], 0, 0), false)
})
