import assert from 'node:assert/strict'
import test from 'node:test'
import { distance, suggestion } from '../../widget/suggest.js'

const meant = {
  'ada@gmial.com': 'ada@gmail.com',
  'Ada@GMAIL.CON': 'ada@gmail.com',
  'ada@hotmial.nl': 'ada@hotmail.nl',
  'ada@outlok.com': 'ada@outlook.com',
  'ada@bedrijf.con': 'ada@bedrijf.com',
  'ada@ziggo.ln': 'ada@ziggo.nl',
}
for (const [typed, address] of Object.entries(meant)) {
  test(`${typed} was probably ${address}`, () => assert.equal(suggestion(typed), address))
}

for (const typed of ['ada@gmail.com', 'ada@noordenzon.example', 'ada@mail.com', 'ada@gmx.com', 'ada@home.nl', 'ada', 'a@b@c', '', '@gmail.com', 'ada@live.com']) {
  test(`${typed || 'nothing'} is left alone`, () => assert.equal(suggestion(typed), undefined))
}

test('a swap of two letters is one mistake', () => {
  assert.equal(distance('gmial', 'gmail'), 1)
  assert.equal(distance('', 'abc'), 3)
  assert.equal(distance('same', 'same'), 0)
})
