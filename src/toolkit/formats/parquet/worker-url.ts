import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { SynclineError } from '../../../errors/syncline-error.js'

const IN_PACKAGE = 'dist/toolkit/formats/parquet/parquet-worker.js'

/** Where the worker's file is: beside this module, or, when a host was bundled, in the installed package. */
export function parquetWorkerUrl(from: string = import.meta.url): URL {
  const beside = new URL('./parquet-worker.js', from)
  if (existsSync(fileURLToPath(beside))) return beside
  try {
    const manifest = createRequire(from).resolve('syncline/package.json')
    const inPackage = join(dirname(manifest), IN_PACKAGE)
    if (existsSync(inPackage)) return pathToFileURL(inPackage)
  } catch {
    // The package is not installed where the bundle runs; told below.
  }
  throw new SynclineError('DESTINATION_FAILED', 'The worker that encodes Parquet was not found.', {
    phase: 'open',
    hint: 'A bundler left it out. Keep the package `syncline` installed beside the bundle, or mark it as external.',
  })
}
