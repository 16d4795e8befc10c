import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))

test('what must not compile, does not, and the rest does', async () => {
  const compiled = await promisify(execFile)(process.execPath, [
    tsc,
    '-p',
    fileURLToPath(new URL('.', import.meta.url)),
  ]).catch((error: { stdout: string }) => error)
  expect(compiled.stdout).toBe('')
})
