import { describe, expect, test } from 'vitest'
import { sourceFiles } from './source-files.js'

const CONTRACTS = ['source', 'destination', 'normalizer', 'state', 'object-store']
const SHARED = [...CONTRACTS, 'model', 'errors', 'util']

/** Which folders of src/ a folder may import besides itself, types too. ARCHITECTURE.md says why. */
const MAY_IMPORT: { readonly [folder: string]: readonly string[] } = {
  model: [],
  util: [],
  errors: ['model', 'util'],
  source: ['model', 'errors', 'util'],
  destination: ['model', 'errors', 'util'],
  normalizer: ['model', 'errors', 'util', 'destination/capabilities.ts'],
  state: ['model', 'errors', 'util'],
  'object-store': ['model', 'errors', 'util'],
  pipeline: SHARED,
  workspace: ['pipeline', ...SHARED],
  toolkit: SHARED,
  connectors: ['toolkit', ...SHARED],
  airbyte: ['toolkit', ...SHARED],
  testing: ['pipeline', 'workspace', 'toolkit', 'airbyte', ...SHARED],
  'index.ts': ['pipeline', ...SHARED],
}

const files = sourceFiles()

describe('import rules', () => {
  test('every folder of src/ has a rule', () => {
    const folders = new Set(files.map((file) => folderOf(file.path)))
    expect([...folders].filter((folder) => !(folder in MAY_IMPORT))).toEqual([])
  })

  test('imports go in the allowed direction only', () => {
    const forbidden = files.flatMap((file) =>
      file.imports
        .filter((imported) => !mayImport(file.path, imported))
        .map((imported) => `${file.path} -> ${imported}`),
    )
    expect(forbidden).toEqual([])
  })

  test('every import is a file of src/', () => {
    const known = new Set(files.map((file) => file.path))
    const missing = files.flatMap((file) =>
      file.imports.filter((imported) => !known.has(imported)).map((imported) => `${file.path} -> ${imported}`),
    )
    expect(missing).toEqual([])
  })

  test('there are no cycles at run time', () => {
    expect(cycles()).toEqual([])
  })

  test('the rules tell a forbidden import from an allowed one', () => {
    expect(mayImport('connectors/postgres/source.ts', 'toolkit/sql/quote.ts')).toBe(true)
    expect(mayImport('connectors/postgres/source.ts', 'connectors/s3/client.ts')).toBe(false)
    expect(mayImport('connectors/postgres/source.ts', 'pipeline/run.ts')).toBe(false)
    expect(mayImport('pipeline/run.ts', 'connectors/postgres/source.ts')).toBe(false)
    expect(mayImport('normalizer/typed.ts', 'destination/capabilities.ts')).toBe(true)
    expect(mayImport('normalizer/typed.ts', 'destination/destination.ts')).toBe(false)
  })
})

function folderOf(path: string): string {
  return path.split('/')[0]!
}

/** Connectors are apart from one another: each counts as a folder of its own. */
function roomOf(path: string): string {
  return folderOf(path) === 'connectors' ? path.split('/').slice(0, 2).join('/') : folderOf(path)
}

function mayImport(from: string, to: string): boolean {
  if (roomOf(from) === roomOf(to)) return true
  const allowed = MAY_IMPORT[folderOf(from)] ?? []
  return allowed.includes(folderOf(to)) || allowed.includes(to)
}

function cycles(): string[] {
  const graph = new Map(files.map((file) => [file.path, file.runtimeImports]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path)
    if (start !== -1) return void found.push([...trail.slice(start), path].join(' -> '))
    if (done.has(path)) return
    for (const imported of graph.get(path) ?? []) visit(imported, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}
