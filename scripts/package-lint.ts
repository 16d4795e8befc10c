// Lints the packed tarball, which is what users get, with publint and are-the-types-wrong.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack } from './pack.js'
import { root } from './package-json.js'

const directory = mkdtempSync(join(tmpdir(), 'syncline-pack-'))
try {
  const tarball = pack(directory)
  run('publint', ['run', tarball, '--strict'])
  run('attw', [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji'])
} catch {
  // The linter has said why.
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

function run(command: string, args: string[]): void {
  execFileSync(join(root, 'node_modules/.bin', command), args, { cwd: root, stdio: 'inherit' })
}
