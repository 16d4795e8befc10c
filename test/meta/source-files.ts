import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { root } from '../../scripts/package-json.js'

/** A file of src/, with what it imports. */
export interface SourceFile {
  /** Relative to src/, with forward slashes. */
  readonly path: string
  readonly text: string
  /** Files of src/ that it imports or re-exports, types too. */
  readonly imports: readonly string[]
  /** Those that are there at run time. */
  readonly runtimeImports: readonly string[]
}

/** Every TypeScript file of src/. */
export function sourceFiles(): SourceFile[] {
  return filesUnder('src')
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(root, 'src', path), 'utf8')
      const resolve = (names: readonly string[]) =>
        names
          .filter((name) => name.startsWith('.'))
          .map((name) => posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts'))
      const imports = resolve(importedNames(text))
      return { path, text, imports, runtimeImports: resolve(importedNames(withoutTypeImports(text))) }
    })
}

function importedNames(text: string): string[] {
  return ts.preProcessFile(text).importedFiles.map((imported) => imported.fileName)
}

function withoutTypeImports(text: string): string {
  return text.replace(/^(import|export) type [^'"]*from '[^']*'$/gm, '')
}

/** Paths relative to the folder, with forward slashes, sorted. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + folder.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
    .sort()
}
