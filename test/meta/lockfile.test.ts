import { expect, test } from 'vitest'
import { missingPlatformPackages, readLockfile } from '../../scripts/lockfile.js'

test('`npm ci` can take the lockfile (`npx tsx scripts/complete-lockfile.ts` completes it)', () => {
  expect(missingPlatformPackages(readLockfile()).map((missing) => missing.path)).toEqual([])
})

test('a platform package without an entry is noticed', () => {
  const lockfile = readLockfile()
  const path = Object.keys(lockfile.packages).find((path) => path.includes('@esbuild/linux-x64'))!
  const { [path]: _, ...packages } = lockfile.packages
  expect(missingPlatformPackages({ packages }).map((missing) => missing.name)).toContain('@esbuild/linux-x64')
})
