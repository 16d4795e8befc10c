import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './package-json.js'

/** Files of dist/ whose source was renamed or removed; tsc leaves them there. */
export function staleOutput(): string[] {
  const dist = join(root, 'dist')
  if (!existsSync(dist)) return []
  return readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(js|d\.ts)$/.test(path))
    .filter((path) => !existsSync(join(root, 'src', path.replace(/(\.d\.ts|\.js)$/, '.ts'))))
    .map((path) => join(dist, path))
}
