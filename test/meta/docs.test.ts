import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../../scripts/package-json.js'
import { pages } from './pages.js'

test.each(pages())('%s links to files that exist', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1]!)
  expect(targets.filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
})

test.each(pages())('%s names files of the repository that exist', (page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const named = [...text.matchAll(/`((?:src|test|scripts|docs|examples|bench)\/[\w./-]+)`/g)].map((match) => match[1]!)
  const generated = ['docs/api']
  expect(named.filter((path) => !generated.includes(path) && !existsSync(join(root, path)))).toEqual([])
})

test('docs/events.md lists the events as they are', () => {
  const table = readFileSync(join(root, 'docs/events.md'), 'utf8')
  const documented = [...table.matchAll(/^\| `([\w:]+)` \|/gm)].map((match) => match[1])
  expect(documented).toEqual(membersOf('src/pipeline/events.ts', 'PipelineEvents'))
})

function membersOf(path: string, name: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ES2023)
  const found = file.statements.find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name)
  return (found as ts.InterfaceDeclaration).members.map((member) => (member.name as ts.Identifier).text)
}
