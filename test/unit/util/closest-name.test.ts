import { expect, test } from 'vitest'
import { closestName } from '#src/util/closest-name.js'

test.each<[string, string[], string | undefined]>([
  ['custmers', ['orders', 'customers'], 'customers'],
  ['connectionstring', ['connectionString', 'host'], 'connectionString'],
  ['idd', ['id', 'name'], 'id'],
  ['invoices', ['orders', 'customers'], undefined],
  ['b', ['a'], undefined],
  ['nr', ['id', 'at'], undefined],
  ['', ['a'], undefined],
])('what %j of %j was meant to be', (word, names, expected) => {
  expect(closestName(word, names)).toBe(expected)
})
