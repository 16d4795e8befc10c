import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { root } from '../../scripts/package-json.js'
import { pages } from './pages.js'

/** Inside the package, so that `syncline/...` means this package. */
const directory = join(root, '.cache/snippets')

test('every block marked ts in the README and the docs compiles', { timeout: 120_000 }, () => {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const snippets = pages().flatMap(snippetsOf)
  for (const snippet of snippets) writeFileSync(snippet.path, snippet.text)
  expect(snippets.length).toBeGreaterThan(0)
  expect(compile(snippets.map((snippet) => snippet.path))).toEqual([])
})

test('a block that does not compile is caught', { timeout: 120_000 }, () => {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'broken.ts')
  writeFileSync(path, `import { noSuchExport } from 'syncline'\nnoSuchExport()\n`)
  expect(compile([path])).toHaveLength(1)
  rmSync(path)
})

/** Blocks keep their line numbers, so that a message points into the page. */
function snippetsOf(page: string): { readonly path: string; readonly text: string }[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length
    const name = `${page.replace(/\.md$/, '').replaceAll('/', '-').toLowerCase()}-line-${line}.ts`
    return { path: join(directory, name), text: `${'\n'.repeat(line)}${match[1]}\nexport {}\n` }
  })
}

function compile(rootNames: string[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const program = ts.createProgram({
    rootNames,
    options: { ...options, noUnusedLocals: false, noUnusedParameters: false },
  })
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    const { line = 0 } = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0) ?? {}
    const file = diagnostic.file?.fileName.replace(`${directory}/`, '')
    return `${file}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`
  })
}
