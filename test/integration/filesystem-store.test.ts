import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesystemDestination, filesystemStore } from 'syncline/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LakeRun, lakeStream, linesLake, SCOPE, testContext, visibleIds } from '../fixtures/lake-run.js'
import { tree } from '../fixtures/read-lake.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-store-'))
})
afterEach(() => rm(directory, { recursive: true }))

const context = testContext()
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (read: Uint8Array | undefined) => (read === undefined ? undefined : new TextDecoder().decode(read))

async function keys(prefix: string, after?: string): Promise<string[]> {
  const found: string[] = []
  const options = after === undefined ? {} : { after }
  for await (const key of filesystemStore(directory).list(prefix, options, context)) found.push(key)
  return found
}

describe('objects', () => {
  test('put replaces, put if absent does not, and both are whole', async () => {
    const store = filesystemStore(directory)
    expect(await store.put('a/b', bytes('one'), { ifAbsent: true }, context)).toBe('stored')
    expect(await store.put('a/b', bytes('two'), { ifAbsent: true }, context)).toBe('exists')
    expect(text(await store.get('a/b', context))).toBe('one')
    expect(await store.put('a/b', bytes('three'), {}, context)).toBe('stored')
    expect(text(await store.get('a/b', context))).toBe('three')
    expect(await store.get('a/c', context)).toBeUndefined()
    expect(await tree(directory)).toEqual(['a/b'])
  })

  test('of many that create one key at a time exactly one succeeds', async () => {
    const store = filesystemStore(directory)
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.put('x/record', bytes(`${i}`), { ifAbsent: true }, context)),
    )
    const winner = outcomes.indexOf('stored')
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1)
    expect(text(await store.get('x/record', context))).toBe(`${winner}`)
  })

  test('a listing is in the order of keys, by prefix, after a key, without pending uploads', async () => {
    const store = filesystemStore(directory)
    for (const key of ['p/a.json', 'p/a/b', 'p/b', 'pq', 'p/a0']) await store.put(key, bytes(''), {}, context)
    const upload = await store.begin('p/pending', { token: randomUUID() }, context)
    await upload.write(bytes('x'), context)
    expect(await keys('p/')).toEqual(['p/a.json', 'p/a/b', 'p/a0', 'p/b'])
    expect(await keys('p')).toEqual(['p/a.json', 'p/a/b', 'p/a0', 'p/b', 'pq'])
    expect(await keys('p/a')).toEqual(['p/a.json', 'p/a/b', 'p/a0'])
    expect(await keys('p/', 'p/a/b')).toEqual(['p/a0', 'p/b'])
    expect(await keys('missing/')).toEqual([])
    await upload.abort(context)
  })

  test('deleting leaves no empty directories, and a key that is not there is no error', async () => {
    const store = filesystemStore(directory)
    await store.put('a/b/c', bytes(''), {}, context)
    await store.put('a/d', bytes(''), {}, context)
    await store.delete('a/b/c', context)
    await store.delete('a/b/c', context)
    await expect(store.get('a/b', context)).resolves.toBeUndefined()
    expect(await tree(directory)).toEqual(['a/d'])
  })

  test('directories that others remove meanwhile are made again', async () => {
    const store = filesystemStore(directory)
    const work = Array.from({ length: 40 }, async (_, i) => {
      await store.put(`deep/er/${i}`, bytes(`${i}`), {}, context)
      await store.delete(`deep/er/${i}`, context)
    })
    await expect(Promise.all(work)).resolves.toHaveLength(40)
  })
})

describe('pending uploads', () => {
  const begun = async (key = 'table/file.parquet') => {
    const store = filesystemStore(directory)
    const upload = await store.begin(key, { token: randomUUID() }, context)
    return { store, upload, ref: JSON.parse(JSON.stringify(upload.ref)) }
  }

  test('nothing exists before the first write; then a file that engines ignore; then the object', async () => {
    const { store, upload, ref } = await begun()
    expect([await tree(directory), await store.settle(ref, context)]).toEqual([[], 'gone'])
    await upload.write(bytes('one '), context)
    await upload.write(bytes('two'), context)
    await upload.finish(context)
    expect(await tree(directory)).toEqual([expect.stringMatching(/^table\/_.*\.pending$/)])
    expect(await store.settle(ref, context)).toBe('pending')
    // As another process would: by the reference alone.
    const other = filesystemStore(directory)
    expect(await other.complete(ref, context)).toBe('completed')
    expect(await other.complete(ref, context)).toBe('completed')
    expect(await store.settle(ref, context)).toBe('completed')
    await store.abort(ref, context)
    expect(await readFile(join(directory, 'table/file.parquet'), 'utf8')).toBe('one two')
    expect(await tree(directory)).toEqual(['table/file.parquet'])
  })

  test('an aborted upload is gone and cannot be completed', async () => {
    const { store, upload, ref } = await begun()
    await upload.write(bytes('x'), context)
    await filesystemStore(directory).abort(ref, context)
    await upload.write(bytes('y'), context)
    await upload.finish(context)
    expect(await store.settle(ref, context)).toBe('gone')
    expect(await store.complete(ref, context)).toBe('gone')
    expect(await tree(directory)).toEqual([])
  })
})

describe('hostile keys', () => {
  test.each(['../out', 'a/../../out', '/etc/passwd', 'a//b', '', '.', '..', 'a/.', 'a\0b', 'a\\..\\b'])(
    '%j is refused',
    async (key) => {
      const store = filesystemStore(directory)
      await expect(store.put(key, bytes('x'), {}, context)).rejects.toMatchObject({ code: 'DESTINATION_FAILED' })
      await expect(store.delete(key, context)).rejects.toMatchObject({ code: 'DESTINATION_FAILED' })
    },
  )

  test('a symbolic link in the lake leads nowhere', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'syncline-outside-'))
    try {
      await symlink(outside, join(directory, 'linked'))
      const store = filesystemStore(directory)
      const put = store.put('linked/file', bytes('x'), {}, context)
      await expect(put).rejects.toMatchObject({
        code: 'DESTINATION_PERMISSION_DENIED',
        hint: expect.stringContaining('symbolic'),
      })
      expect(await tree(outside)).toEqual([])
      // The lake itself may be one.
      await mkdir(join(outside, 'lake'))
      await symlink(join(outside, 'lake'), join(directory, 'lake'))
      await filesystemStore(join(directory, 'lake')).put('a', bytes('x'), {}, context)
      expect(await tree(outside)).toEqual(['lake/a'])
    } finally {
      await rm(outside, { recursive: true })
    }
  })
})

function command(name: string, parameters: readonly string[]): void {
  execFileSync(name, parameters, { stdio: 'ignore' })
}

/** What `mount` says: undefined where this process may not mount. */
function mounted(...options: string[]): boolean {
  try {
    command('mount', options)
    return true
  } catch {
    return false
  }
}

describe('a disk that fills up', () => {
  test('DESTINATION_FULL, what was published stays, and the next run goes on', async ({ skip }) => {
    if (!mounted('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory)) skip('needs the right to mount a tmpfs')
    try {
      const store = filesystemStore(directory)
      const first = await LakeRun.open(linesLake(store), lakeStream())
      await first.publish([await first.piece([1, 2])], [1, 2])
      await writeFile(join(directory, 'ballast'), new Uint8Array(150 * 1024))
      const many = Array.from({ length: 60_000 }, (_, i) => i + 10)
      const full = { code: 'DESTINATION_FULL', retry: 'manual', hint: expect.stringContaining('intact') }
      const big = linesLake(store, 1e9)
      await first.close()
      const second = await LakeRun.open(big, lakeStream())
      await expect(second.piece(many)).rejects.toMatchObject(full)
      await second.close()
      expect(await visibleIds(directory)).toEqual([1, 2])
      await rm(join(directory, 'ballast'))
      const third = await LakeRun.open(big, lakeStream())
      expect(third.stored).toMatchObject({ version: 1, state: { source: [1, 2] } })
      await third.publish([await third.piece([3])], [1, 2, 3])
      await third.close()
      expect(await visibleIds(directory)).toEqual([1, 2, 3])
    } finally {
      command('umount', [directory])
    }
  })
})

describe('a directory without rights', () => {
  test('check says so and how to help; a lake that was never written may still be looked at', async ({ skip }) => {
    const place = join(directory, 'read-only')
    await mkdir(place)
    // Root may write whatever the mode says, so that the file system itself has to refuse.
    const root = process.getuid?.() === 0
    if (root && !mounted('-t', 'tmpfs', '-o', 'ro', 'tmpfs', place)) skip('as root needs the right to mount')
    if (!root) await chmod(place, 0o500)
    try {
      const lake = filesystemDestination({ directory: join(place, 'lake') })
      const denied = { code: 'DESTINATION_PERMISSION_DENIED', hint: expect.any(String) }
      await expect(lake.check(context)).rejects.toMatchObject(denied)
      expect(await lake.recover!(SCOPE, context)).toEqual({ version: 0 })
      await expect(LakeRun.open(lake, lakeStream())).rejects.toMatchObject(denied)
    } finally {
      if (root) command('umount', [place])
      else await chmod(place, 0o700)
    }
  })

  test('a link in the place of the directory that leads nowhere', async () => {
    const link = join(directory, 'lake')
    await symlink(join(directory, 'unmounted', 'lake'), link)
    const put = filesystemStore(link).put('a/b', bytes('one'), {}, context)
    await expect(put).rejects.toMatchObject({
      code: 'DESTINATION_MISSING',
      hint: expect.stringContaining('symbolic link'),
    })
  })

  test('a file in the place of the directory', async () => {
    await writeFile(join(directory, 'file'), '')
    const lake = filesystemDestination({ directory: join(directory, 'file') })
    await expect(lake.check(context)).rejects.toMatchObject({ code: 'DESTINATION_MISSING' })
  })
})

test('check leaves nothing behind, not even the directory', async () => {
  await filesystemDestination({ directory: join(directory, 'new/lake') }).check(context)
  await mkdir(join(directory, 'there'))
  await filesystemDestination({ directory: join(directory, 'there') }).check(context)
  expect(await readdir(directory, { recursive: true })).toEqual(['there'])
})
