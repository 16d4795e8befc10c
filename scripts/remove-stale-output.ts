// Removes what tsc left in dist/ of sources that are gone, so that nobody tests or publishes it.
import { rmSync } from 'node:fs'
import { staleOutput } from './stale-output.js'

for (const path of staleOutput()) rmSync(path)
