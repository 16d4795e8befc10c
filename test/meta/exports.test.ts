import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { entryPoints, root } from '../../scripts/package-json.js'
import { staleOutput } from '../../scripts/stale-output.js'
import { filesUnder } from './source-files.js'

const entries = entryPoints()

test.each(entries)('$specifier has a source and built files', (entry) => {
  const missing = [entry.source, entry.code, entry.types].filter((path) => !existsSync(join(root, path)))
  expect(missing).toEqual([])
})

test('every entry folder of src/ is a subpath of the package', () => {
  const sources = filesUnder('src')
    .filter((path) => /^(index|(testing|workspace|airbyte|connectors\/[^/]+)\/index)\.ts$/.test(path))
    .map((path) => `src/${path}`)
  expect(entries.map((entry) => entry.source).sort()).toEqual(sources)
})

test('TypeDoc documents every subpath', () => {
  const { entryPoints: documented } = JSON.parse(readFileSync(join(root, 'typedoc.json'), 'utf8'))
  expect(documented).toEqual(entries.map((entry) => entry.source))
})

test('dist/ holds nothing that src/ does not (`npm run build`)', () => {
  expect(staleOutput()).toEqual([])
})
