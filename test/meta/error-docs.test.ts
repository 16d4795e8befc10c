import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ERROR_CODES } from '#src/errors/codes.js'
import { withErrorTable } from '../../scripts/error-table.js'
import { root } from '../../scripts/package-json.js'
import { pages } from './pages.js'

test('docs/errors.md lists the codes as they are (`npm run api` writes them)', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')
  expect(page).toBe(withErrorTable(page))
})

test('codes are named by area', () => {
  const odd = Object.keys(ERROR_CODES).filter(
    (code) => !/^(CONFIG|SOURCE|NORMALIZE|DESTINATION|STATE|PIPELINE|PROTOCOL)_[A-Z_]+$/.test(code),
  )
  expect(odd).toEqual([])
})

test('every code in a page of the docs exists', () => {
  const unknown = pages().flatMap((page) =>
    [
      ...readFileSync(join(root, page), 'utf8').matchAll(
        /`((?:CONFIG|SOURCE|NORMALIZE|DESTINATION|STATE|PIPELINE|PROTOCOL)_[A-Z_]+)`/g,
      ),
    ]
      .map((match) => match[1]!)
      .filter((code) => !(code in ERROR_CODES)),
  )
  expect(unknown).toEqual([])
})
