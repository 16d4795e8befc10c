import { readFileSync, writeFileSync } from 'node:fs'
import { root } from './package-json.js'

interface LockedPackage {
  readonly version?: string
  readonly dev?: boolean
  readonly license?: string
  readonly optionalDependencies?: { readonly [name: string]: string }
}

interface Lockfile {
  packages: { [path: string]: LockedPackage }
}

/** A binary package that a locked package wants on some platform, and that has no entry. */
interface MissingPackage {
  readonly path: string
  readonly name: string
  readonly version: string
  readonly parent: LockedPackage
}

const path = `${root}package-lock.json`

export function readLockfile(): Lockfile {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/**
 * npm leaves a platform's binary package out of the lockfile when the registry did not offer it at that moment (a mirror that
 * lags, for one), and then `npm ci` refuses the lockfile on every platform.
 */
export function missingPlatformPackages({ packages }: Lockfile): MissingPackage[] {
  return Object.entries(packages).flatMap(([from, parent]) =>
    Object.entries(parent.optionalDependencies ?? {}).flatMap(([name, range]) => {
      const version = range.replace(/^[\^~]/, '')
      const found = resolve(packages, from, name)
      if (found === undefined) return [{ path: `node_modules/${name}`, name, version, parent }]
      if (!fits(packages[found]!.version, range))
        return [{ path: `${from}/node_modules/${name}`, name, version, parent }]
      return []
    }),
  )
}

/** Gives them an entry, with the platform that their names tell, so that `npm ci` skips them elsewhere. */
export function completeLockfile(): void {
  const lockfile = readLockfile()
  for (const { path, name, version, parent } of missingPlatformPackages(lockfile)) {
    const { os, cpu, libc } = platformOf(name)
    // In npm's own order, so that npm does not write them anew.
    lockfile.packages[path] = {
      version,
      cpu,
      ...(parent.dev ? { dev: true } : {}),
      ...(libc ? { libc } : {}),
      ...(parent.license ? { license: parent.license } : {}),
      optional: true,
      os,
    } as LockedPackage
  }
  const sorted = Object.entries(lockfile.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  lockfile.packages = Object.fromEntries(sorted)
  writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`)
}

/** Exact versions must be equal, caret ranges share the major version; other ranges are taken as npm resolved them. */
function fits(version: string | undefined, range: string): boolean {
  if (range.startsWith('^')) return version?.split('.')[0] === range.slice(1).split('.')[0]
  return !/^\d/.test(range) || version === range
}

function resolve(packages: Lockfile['packages'], from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (candidate in packages) return candidate
    if (folder === '') return undefined
  }
}

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = ['arm64', 'arm', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']

function platformOf(name: string): { readonly os: string[]; readonly cpu: string[]; readonly libc?: string[] } {
  const words = name.replace('windows', 'win32').split(/[/-]/)
  const os = SYSTEMS.filter((system) => words.includes(system))
  const cpu = PROCESSORS.filter((processor) => words.includes(processor))
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`The platform of ${name} is not in its name.`)
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return { os, cpu, ...(libc ? { libc } : {}) }
}
