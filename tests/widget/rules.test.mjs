import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasBudget, isPlace, mayOpen } from '../../widget/rules.js'

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

const page = { url: '/sale/shoes?color=red', lang: 'nl', visit: 'new', entry: '&' }

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
})

const mail = '[?&]utm_medium=email(?:&|$)'
const came = {
  'by a link in a mail': ['?utm_source=news&utm_medium=email&', false],
  'by a link that shouts': ['?UTM_MEDIUM=Email&', false],
  'to a second page of that visit': ['&https://shop.test/?utm_medium=email', false],
  'by a paid link': ['?utm_medium=emailads&', true],
  'by itself': ['&', true],
}
for (const [how, [entry, expected]] of Object.entries(came)) {
  test(`who came ${how} is ${expected ? '' : 'not '}asked (CR-08)`, () => {
    assert.equal(isPlace({ mail }, { ...page, entry }), expected)
    assert.equal(isPlace({}, { ...page, entry }), true)
  })
}

test('a page is the same page however its address is spelled', () => {
  assert.equal(isPlace({ out: '^[^?]*/checkout[^?]*(?:\\?|$)' }, { ...page, url: '/Checkout/Pay' }), false)
})

test('one budget for the session and one for the day', () => {
  assert.equal(hasBudget([1, 2], 0, 0), true)
  assert.equal(hasBudget([1, 2], 1, 0), false)
  assert.equal(hasBudget([5, 2], 0, 2), false)
  assert.equal(hasBudget([0, 2], 0, 0), false)
})
