import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** What an example prints when run as its readers run it. */
async function run(name: string): Promise<string> {
  const path = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path])
  expect(stderr).toBe('')
  return stdout
}

test('own-source', async () => {
  expect(await run('own-source')).toBe('1: Ada\n2: Grace\n3: Barbara\nfirst run: 3 records\nsecond run: 1 record\n')
})

test('own-destination', async () => {
  expect(await run('own-destination')).toBe('colours: red, green\ncolours: blue\nsucceeded: 3 records\n')
})
