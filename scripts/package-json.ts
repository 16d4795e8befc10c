import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The root of the repository, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** One subpath of the package. */
export interface EntryPoint {
  /** As a program imports it: `syncline`, `syncline/postgres`. */
  readonly specifier: string
  /** `index`, `postgres`: names the report and the files of tests. */
  readonly name: string
  /** Built files and the source, relative to the root. */
  readonly types: string
  readonly code: string
  readonly source: string
}

interface PackageJson {
  readonly name: string
  readonly exports: { readonly [subpath: string]: string | { readonly types: string; readonly default: string } }
}

/** Every subpath of `exports` that is code. */
export function entryPoints(): EntryPoint[] {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as PackageJson
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const code = target.default.replace('./', '')
    return {
      specifier: manifest.name + subpath.slice(1),
      name: subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-'),
      types: target.types.replace('./', ''),
      code,
      source: code.replace('dist/', 'src/').replace(/\.js$/, '.ts'),
    }
  })
}
