// Lints the packed tarball, which is what users get, with publint and are-the-types-wrong.
import { spawnSync } from 'node:child_process'
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
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Silent when all is well. */
function run(command: string, args: string[]): void {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: root })
  if (status === 0) return
  process.stderr.write(stdout)
  process.stderr.write(stderr)
  process.exitCode = 1
}
