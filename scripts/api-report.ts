// Writes what each entry point exports to api-report/, so that a change of the public API shows in review.
// With --check it writes nothing and fails when a report is stale.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import ts from 'typescript'
import { type EntryPoint, entryPoints, root } from './package-json.js'

const directory = `${root}api-report/`
const entries = entryPoints()
const program = ts.createProgram({
  rootNames: entries.map((entry) => root + entry.types),
  options: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.NodeNext, strict: true, skipLibCheck: true },
})
const checker = program.getTypeChecker()
const printer = ts.createPrinter({ removeComments: true })

const stale: string[] = []
mkdirSync(directory, { recursive: true })
for (const entry of entries) update(`${entry.name}.md`, report(entry))
for (const file of readdirSync(directory)) {
  if (!entries.some((entry) => file === `${entry.name}.md`)) update(file, undefined)
}
if (stale.length > 0) {
  process.stderr.write(`The API report is stale (${stale.join(', ')}). Run \`npm run api\` and commit the change.\n`)
  process.exitCode = 1
}

function update(file: string, text: string | undefined): void {
  const path = directory + file
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  if (before === text) return
  if (process.argv.includes('--check')) stale.push(`api-report/${file}`)
  else if (text === undefined) rmSync(path)
  else writeFileSync(path, text)
}

function report(entry: EntryPoint): string {
  const file = program.getSourceFile(root + entry.types)
  const symbol = file && checker.getSymbolAtLocation(file)
  const exported = symbol ? checker.getExportsOfModule(symbol) : []
  const texts = exported
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((each) => declarationText(each))
    .join('\n\n')
  return `# API of \`${entry.specifier}\`\n\nWritten by \`npm run api\`; do not edit.\n\n\`\`\`ts\n${texts}\n\`\`\`\n`
}

function declarationText(exported: ts.Symbol): string {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
  const texts = (symbol.declarations ?? []).map((declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
    const file = node.getSourceFile()
    if (file.fileName.includes('/node_modules/')) return `// ${exported.name}: from another package`
    const text = printer.printNode(ts.EmitHint.Unspecified, node, file)
    return text.replace(/^\s*private .*\n/gm, '').replace(/^(export )?declare /, '$1')
  })
  const renamed = symbol.name === exported.name ? '' : `// as ${exported.name}\n`
  return renamed + [...new Set(texts)].join('\n')
}
