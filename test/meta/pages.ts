import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/package-json.js'

/** Every page that people read. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs.map((name) => `docs/${name}`)]
}
