import { dirname } from 'node:path'
import type { Destination } from '../../destination/destination.js'
import type { Context } from '../../model/context.js'
import { parquetFormat } from '../../toolkit/formats/parquet/parquet-format.js'
import { lakeDestination } from '../../toolkit/lake/lake-destination.js'
import { acquireProcessLock, type ProcessLock } from '../../util/process-lock.js'
import { type FilesystemDestinationOptions, filesystemSettings } from './config.js'
import { filesystemError } from './errors.js'
import { StoreDirectory } from './paths.js'
import { filesystemStore } from './store.js'

/**
 * A lake of Parquet files below a directory. Delivery is exactly once: the state is kept in the commit record that makes files visible. A
 * full refresh appears at its end, all new files before the first old one goes.
 *
 * Throws `CONFIG_INVALID` for options that are wrong or misspelt.
 */
export function filesystemDestination(options: FilesystemDestinationOptions): Destination {
  const { directory, path, format, maxFileBytes, maxFileRows, cadence } = filesystemSettings(options)
  const root = new StoreDirectory(directory)
  const lake = lakeDestination(filesystemStore(directory), {
    name: 'filesystem',
    format: parquetFormat(format),
    path,
    maxFileBytes,
    maxFileRows,
    cadence,
    lock: (key, context) => lockScope(root, key, context),
  })
  return {
    ...lake,
    check: (context) => root.leavingNothing(() => lake.check(context)),
  }
}

async function lockScope(root: StoreDirectory, key: string, { signal }: Context): Promise<ProcessLock | 'held'> {
  try {
    const path = root.pathOf(key)
    const lock = await root.inParent(path, () => acquireProcessLock(path))
    if (lock === 'held') return lock
    return {
      async release() {
        await lock.release()
        await root.prune(dirname(path))
      },
    }
  } catch (error) {
    throw filesystemError(error, signal)
  }
}
