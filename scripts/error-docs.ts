// Writes the table of error codes into docs/errors.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { withErrorTable } from './error-table.js'
import { root } from './package-json.js'

const path = `${root}docs/errors.md`
writeFileSync(path, withErrorTable(readFileSync(path, 'utf8')))
