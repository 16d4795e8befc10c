import { randomUUID } from 'node:crypto'
import { closestName } from '../../util/closest-name.js'
import { CONTROL } from './control-keys.js'
import { keyPart } from './key-names.js'

export const DEFAULT_PATH = '${NAMESPACE}/${STREAM_NAME}'

export interface PathValues {
  readonly namespace: string | undefined
  readonly name: string
  /** When the file was begun; the parts are those of UTC. */
  readonly at: Date
}

const VARIABLES: { readonly [name: string]: (values: PathValues) => string } = {
  NAMESPACE: ({ namespace }) => (namespace === undefined ? '' : keyPart(namespace)),
  STREAM_NAME: ({ name }) => keyPart(name),
  YEAR: ({ at }) => at.getUTCFullYear().toString(),
  MONTH: ({ at }) => digits(at.getUTCMonth() + 1),
  DAY: ({ at }) => digits(at.getUTCDate()),
  HOUR: ({ at }) => digits(at.getUTCHours()),
  MINUTE: ({ at }) => digits(at.getUTCMinutes()),
  SECOND: ({ at }) => digits(at.getUTCSeconds()),
  MILLISECOND: ({ at }) => digits(at.getUTCMilliseconds(), 4),
  EPOCH: ({ at }) => at.getTime().toString(),
  UUID: () => randomUUID(),
}

const digits = (value: number, length = 2) => value.toString().padStart(length, '0')

/** Why a path template cannot be used; `undefined` where it can. */
export function pathTemplateProblem(template: string): string | undefined {
  for (const [whole, name] of template.matchAll(/\$\{([^}]*)\}?/g)) {
    if (name === undefined || VARIABLES[name] === undefined || !whole.endsWith('}')) {
      const closest = closestName(name ?? '', Object.keys(VARIABLES))
      return `Unknown variable ${whole}${closest === undefined ? '' : ` (did you mean \${${closest}}?)`}`
    }
  }
  const parts = partsOf(template)
  if (template.startsWith('/')) return 'Must be relative'
  if (parts.some((part) => part === '.' || part === '..')) return 'May not hold . or .. as a part'
  if (/[\0\\]/.test(template)) return 'May not hold backslashes or NUL'
  if (parts[0] === CONTROL) return `May not begin with ${CONTROL}, where the commit records are`
  return undefined
}

/** The directory of a table's files. Neither the values nor an empty one can lead out of the lake. */
export function expandPath(template: string, values: PathValues): string {
  const expanded = template.replace(/\$\{(\w+)\}/g, (_, name: string) => VARIABLES[name]!(values))
  const parts = partsOf(expanded).map((part) => (part === '.' || part === '..' ? part.replaceAll('.', '%2E') : part))
  if (parts[0] === CONTROL) parts[0] = CONTROL.replace('_', '%5F')
  return parts.join('/')
}

const partsOf = (path: string) => path.split('/').filter((part) => part !== '')
