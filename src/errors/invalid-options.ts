import { z } from 'zod'
import { closestName } from '../util/closest-name.js'
import { SynclineError } from './syncline-error.js'

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

/**
 * `CONFIG_INVALID` that names every option that is wrong, by path, without its value; a misspelt one with the name that is closest.
 *
 * @param owner - whose options they are: `pipeline`, a function of the library as `run()`, or the connector's name
 * @param schema - what the options were checked against, for the names that it knows
 * @param prefix - where the checked value lies inside the options
 */
export function invalidOptions(owner: string, error: z.ZodError, schema: z.ZodType, prefix: Path = []): SynclineError {
  const problems: string[] = []
  const hints: string[] = []
  for (const issue of error.issues.flatMap(mostTelling)) {
    if (issue.code === 'unrecognized_keys') {
      const known = knownOptions(schema, issue.path)
      for (const key of issue.keys) {
        problems.push(`${pathText([...prefix, ...issue.path, key])}: unknown option`)
        const closest = closestName(key, known)
        if (closest !== undefined) hints.push(`Did you mean ${pathText([...prefix, ...issue.path, closest])}?`)
        else if (known.length > 0) hints.push(`Known options: ${known.join(', ')}.`)
      }
    } else {
      problems.push(`${pathText([...prefix, ...issue.path]) || 'options'}: ${lowerFirst(issue.message)}`)
    }
  }
  return new SynclineError('CONFIG_INVALID', `Invalid options of ${owner}: ${problems.join('; ')}.`, {
    phase: 'configure',
    ...(owner === 'pipeline' || owner.endsWith('()') ? {} : { connector: owner }),
    hint: [...new Set(hints)].join(' ') || 'Correct the options that the message names.',
  })
}

/** `CONFIG_INVALID` for options that are no object, or hold a name that is none of these. */
export function refuseUnknownOptions(owner: string, options: unknown, names: readonly string[]): void {
  const schema = z.strictObject(Object.fromEntries(names.map((name) => [name, z.unknown().optional()])))
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw invalidOptions(owner, parsed.error, schema)
}

/** Of a union that no member fits: the issues of the member that came furthest. */
function mostTelling(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue]
  const depth = (issues: readonly Issue[]) =>
    Math.max(...issues.map((inner) => inner.path.length + (inner.code === 'unrecognized_keys' ? 1 : 0)))
  const best = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0]!
  if (depth(best) === 0) return [issue]
  return best.flatMap(mostTelling).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

function pathText(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${String(part)}`)).join('')
}

const lowerFirst = (message: string) => message.charAt(0).toLowerCase() + message.slice(1)

type Def = {
  readonly shape?: { readonly [name: string]: z.ZodType }
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly element?: z.ZodType
  readonly valueType?: z.ZodType
  readonly options?: readonly z.ZodType[]
}

function knownOptions(schema: z.ZodType, path: Path): string[] {
  const def = schema.def as Def
  const inner = def.innerType ?? def.in
  if (inner !== undefined) return knownOptions(inner, path)
  if (def.options !== undefined) return def.options.flatMap((option) => knownOptions(option, path))
  const [first, ...rest] = path
  if (first === undefined) return Object.keys(def.shape ?? {})
  const next = def.shape?.[String(first)] ?? def.element ?? def.valueType
  return next === undefined ? [] : knownOptions(next, rest)
}
