import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pack } from '../../scripts/pack.js'
import { entryPoints, root } from '../../scripts/package-json.js'

const run = promisify(execFile)

/** A project of somebody else, with the tarball and its dependencies installed and nothing besides. */
let project: string

beforeAll(async () => {
  project = await realpath(await mkdtemp(join(tmpdir(), 'syncline-host-')))
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'host', private: true, type: 'module' }))
  await run('tar', ['-xzf', pack(project), '-C', project])
  await mkdir(join(project, 'node_modules'))
  await run('mv', [join(project, 'package'), join(project, 'node_modules/syncline')])
  await linkDependencies()
})

afterAll(async () => {
  await rm(project, { recursive: true, force: true })
})

describe('the packed tarball', () => {
  test.each(entryPoints())('$specifier imports in an empty project', async ({ specifier }) => {
    const program = `import * as entry from '${specifier}'; process.stdout.write(String(Object.keys(entry).length))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: project })
    expect(Number(stdout)).toBeGreaterThan(0)
  })

  test('holds what users need and nothing else', async () => {
    const files = await readdir(join(project, 'node_modules/syncline'), { recursive: true, withFileTypes: true })
    const odd = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name).slice(join(project, 'node_modules/syncline/').length))
      .filter((path) => !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/.+\.(js|d\.ts))$/.test(path))
    expect(odd).toEqual([])
  })

  test('a host runs a sync', { timeout: 120_000 }, async () => {
    await cp(new URL('host.ts', import.meta.url), join(project, 'host.ts'))
    const { lake } = await runHost(await bundle('plain', true))
    expect(await titles(lake)).toEqual(TITLES)
  })

  test('a host that esbuild bundled runs a sync', { timeout: 120_000 }, async () => {
    await cp(new URL('host.ts', import.meta.url), join(project, 'host.ts'))
    const { lake } = await runHost(await bundle('bundled', false))
    expect(await titles(lake)).toEqual(TITLES)
  })

  test('a bundled host runs a sync where no package is installed, with its worker beside it', {
    timeout: 120_000,
  }, async () => {
    await cp(new URL('host.ts', import.meta.url), join(project, 'host.ts'))
    const program = await bundle('alone', false)
    await build({
      ...BUNDLE,
      absWorkingDir: project,
      entryPoints: ['node_modules/syncline/dist/toolkit/formats/parquet/parquet-worker.js'],
      outdir: dirname(program),
    })
    await cp(
      join(root, 'node_modules/parquet-wasm/node/parquet_wasm_bg.wasm'),
      join(dirname(program), 'parquet_wasm_bg.wasm'),
    )
    const elsewhere = await mkdtemp(join(tmpdir(), 'syncline-alone-'))
    try {
      await cp(dirname(program), elsewhere, { recursive: true })
      await writeFile(join(elsewhere, 'package.json'), '{"type":"module"}')
      const { lake } = await runHost(join(elsewhere, 'host.js'))
      expect(await titles(lake)).toEqual(TITLES)
    } finally {
      await rm(elsewhere, { recursive: true, force: true })
    }
  })

  test('types of a host compile', { timeout: 120_000 }, async () => {
    await cp(new URL('host.ts', import.meta.url), join(project, 'host.ts'))
    const imports = entryPoints().map(({ specifier, name }) => `export * as ${name} from '${specifier}'\n`)
    await writeFile(join(project, 'all.ts'), imports.join(''))
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2023', lib: ['es2023'] }
    const types = { types: ['node'], typeRoots: [join(root, 'node_modules/@types')] }
    const config = { compilerOptions: { ...compilerOptions, ...types }, files: ['host.ts', 'all.ts'] }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(config))
    const result = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project])
    await expect(result.catch((error) => Promise.reject(new Error(error.stdout)))).resolves.toBeDefined()
  })
})

/** As docs/bundling.md says: what the CommonJS among the dependencies needs in an ESM bundle. */
const BUNDLE = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  banner: {
    js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url); const __dirname = import.meta.dirname;`,
  },
} as const

const TITLES = ['Dune', 'Emma', 'Ulysses']

/** The host as one JavaScript file: with its packages left outside, or all in one. */
async function bundle(name: string, external: boolean): Promise<string> {
  const outfile = join(project, name, 'host.js')
  await build({
    ...BUNDLE,
    absWorkingDir: project,
    entryPoints: ['host.ts'],
    ...(external ? { packages: 'external' as const } : {}),
    outfile,
  })
  return outfile
}

async function runHost(program: string): Promise<{ readonly lake: string }> {
  const lake = join(dirname(program), 'lake')
  await mkdir(lake)
  await run(process.execPath, [program, lake], { cwd: dirname(program) })
  return { lake }
}

/** What the lake holds, by an independent reader. */
async function titles(lake: string): Promise<unknown[]> {
  const files = await readdir(lake, { recursive: true })
  const rows = await Promise.all(
    files
      .filter((file) => file.endsWith('.parquet'))
      .map(async (file) => {
        const bytes = await readFile(join(lake, file))
        return parquetReadObjects({
          file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
        })
      }),
  )
  return rows
    .flat()
    .map((row) => row['title'])
    .sort()
}

/** The dependencies as npm would install them, linked from the repository: no network, no waiting. */
async function linkDependencies(): Promise<void> {
  const manifest = JSON.parse(await readFile(join(project, 'node_modules/syncline/package.json'), 'utf8'))
  for (const name of Object.keys(manifest.dependencies)) {
    const target = join(project, 'node_modules', name)
    await mkdir(dirname(target), { recursive: true })
    await symlink(join(root, 'node_modules', name), target)
  }
}
