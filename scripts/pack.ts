import { execFileSync } from 'node:child_process'
import { root } from './package-json.js'

/** Packs what is built now into a directory and gives the tarball's path. */
export function pack(directory: string): string {
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [packed] = JSON.parse(output) as [{ readonly filename: string }]
  return `${directory}/${packed.filename}`
}
