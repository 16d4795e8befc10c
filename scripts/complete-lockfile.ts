// Adds the platform packages that a lagging registry kept out of package-lock.json; see lockfile.ts.
import { completeLockfile } from './lockfile.js'

completeLockfile()
