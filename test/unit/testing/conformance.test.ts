import type { Destination, Load, Reading, Source, Writer } from 'syncline'
import {
  destinationConformance,
  MemoryTables,
  memoryDestination,
  memorySource,
  memoryStore,
  readMemoryTable,
  sourceConformance,
  stateStoreConformance,
} from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { memoryStateStore } from '#src/state/memory-state-store.js'

type Suite = (runner: Parameters<typeof sourceConformance>[0]) => void

/** The names of the tests of a suite that fail. */
async function failures(suite: Suite): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  suite({ describe: (_name, body) => body(), it: (name, body) => tests.push([name, body]) })
  const failed: string[] = []
  for (const [name, body] of tests) await body().catch(() => failed.push(name))
  expect(tests.length).toBeGreaterThan(5)
  return failed
}

function source(breakIt: (source: Source, tables: MemoryTables) => Source): Promise<string[]> {
  return failures((runner) =>
    sourceConformance(runner, {
      name: 'broken',
      async create() {
        const tables = new MemoryTables()
        const schema = { fields: [{ name: 'id', type: { kind: 'int32' }, nullable: false }] } as const
        const table = tables.table({ name: 'things', schema, cursorField: 'id' })
        for (let id = 1; id <= 30; id++) table.insert({ id })
        let next = 30
        return {
          source: breakIt(memorySource(tables), tables),
          addRecords: async () => void table.insert({ id: ++next }),
          endEpochs: async () => tables.endEpochs(),
        }
      },
    }),
  )
}

function reading(change: (reading: Reading) => Partial<Reading>): Promise<string[]> {
  return source((honest) => ({
    ...honest,
    async open(request, context) {
      const inner = await honest.open(request, context)
      const whole: Reading = {
        restarted: inner.restarted,
        slices: (ctx) => inner.slices(ctx),
        read: (...args) => inner.read(...args),
        advance: (...args) => inner.advance!(...args),
        close: (ctx) => inner.close(ctx),
      }
      return { ...whole, ...change(whole) }
    },
  }))
}

function destination(breakIt: (destination: Destination) => Destination): Promise<string[]> {
  return failures((runner) =>
    destinationConformance(runner, {
      name: 'broken',
      async create() {
        const store = memoryStore()
        return {
          destination: () => breakIt(memoryDestination(store)),
          read: async (table) => readMemoryTable(store, table),
        }
      },
    }),
  )
}

function load(change: (load: Load) => Partial<Load>): Promise<string[]> {
  return destination((honest) => ({
    ...honest,
    async open(plan, context) {
      const inner = await honest.open(plan, context)
      const whole: Load = {
        writer: (...args) => inner.writer(...args),
        publish: (...args) => inner.publish(...args),
        close: (...args) => inner.close(...args),
      }
      return { ...whole, ...change(whole) }
    },
  }))
}

function writer(change: (writer: Writer) => Partial<Writer>): Promise<string[]> {
  return load((honest) => ({
    async writer(...args) {
      const inner = await honest.writer(...args)
      const whole: Writer = {
        write: (...call) => inner.write(...call),
        seal: (...call) => inner.seal(...call),
        discard: (...call) => inner.discard(...call),
      }
      return { ...whole, ...change(whole) }
    },
  }))
}

describe('the source suite', () => {
  test('passes an honest source', async () => {
    expect(await source((honest) => honest)).toEqual([])
  })

  test('catches a read that ignores its checkpoint', async () => {
    const failed = await reading(({ read }) => ({ read: (slice, _after, context) => read(slice, undefined, context) }))
    expect(failed).toContain('goes on after every checkpoint with exactly the rest')
  })

  test('catches a state that depends on the order of slices', async () => {
    const failed = await reading(({ advance }) => ({
      advance: (_state, proof, scope) => advance!(undefined, proof, scope),
    }))
    expect(failed).toContain('advance is pure, and any order of slices gives the same state')
  })

  test('catches a slice that is given twice, and one that is left out', async () => {
    const twice = await reading(({ slices }) => ({
      async *slices(context) {
        for await (const slice of slices(context)) {
          yield slice
          if ('id' in slice) yield slice
        }
      },
    }))
    expect(twice).toContain('the slices of a stream give each record once')
    const none = await reading(({ slices }) => ({
      async *slices(context) {
        let first = true
        for await (const slice of slices(context)) {
          if (!first || 'planned' in slice) yield slice
          first = false
        }
      },
    }))
    expect(none).toContain('a later reading gives exactly the records that were added')
  })

  test('catches a read without an end, and one that does not hear the signal', async () => {
    const endless = await reading(({ read }) => ({
      async *read(...args) {
        for await (const message of read(...args)) if (message.type !== 'slice_done') yield message
      },
    }))
    expect(endless).toContain('the slices of a stream give each record once')
    const deaf = await reading(({ read }) => ({
      read: (slice, after, context) => read(slice, after, { ...context, signal: new AbortController().signal }),
    }))
    expect(deaf).toContain('ends on the signal, and frees a read that is left early')
  })

  test('catches a source that forgets the state, and one that is deaf to a restart', async () => {
    const forgets = await source((honest) => ({
      ...honest,
      open: (request, context) =>
        honest.open({ ...request, scopes: request.scopes.map(({ state: _, ...scope }) => scope) }, context),
    }))
    expect(forgets).toContain('a second reading gives nothing new, and so does a third')
    const deaf = await source((honest) => ({
      ...honest,
      open: (request, context) =>
        honest.open(
          {
            ...request,
            scopes: request.scopes.map((scope) => ({
              ...scope,
              streams: scope.streams.map((stream) => ({ ...stream, restart: false })),
            })),
          },
          context,
        ),
    }))
    expect(deaf).toContain('a restart gives everything again, whatever the state proves')
  })

  test('catches an epoch that is not told to be lost', async () => {
    const failed = await source((honest, tables) => {
      const alive = tables.snapshotOf.bind(tables)
      tables.snapshotOf = (epoch) => alive(epoch) ?? { ...tables.snapshot(), epoch }
      return honest
    })
    expect(failed).toContain('a lost epoch is told as such, and its streams are read anew')
  })
})

describe('the destination suite', () => {
  test('passes an honest destination', async () => {
    expect(await destination((honest) => honest)).toEqual([])
  })

  test('catches rows that are withdrawn too late, or not at all', async () => {
    const failed = await load((honest) => {
      const kept: Parameters<Load['publish']>[0]['receipts'][number][] = []
      return {
        async writer(...args) {
          const inner = await honest.writer(...args)
          return {
            write: (...call) => inner.write(...call),
            seal: (...call) => inner.seal(...call),
            async discard(context) {
              kept.push(await inner.seal(context))
              await inner.discard(context)
            },
          }
        },
        publish: (commit, context) =>
          honest.publish({ ...commit, receipts: [...commit.receipts, ...kept.splice(0)] }, context),
      }
    })
    expect(failed).toContain('nothing is visible before publish; discard withdraws what came after the last seal, D10')
  })

  test('catches a receipt that counts wrongly', async () => {
    const failed = await writer(({ seal }) => ({
      async seal(context) {
        const receipt = await seal(context)
        return { ...receipt, tables: receipt.tables.map((table) => ({ ...table, records: table.records + 1 })) }
      },
    }))
    expect(failed).toContain('a receipt counts the rows that were written, table by table')
  })

  test('catches a publish that drops a receipt, forgets the state or ignores the version', async () => {
    const drops = await load(({ publish }) => ({
      publish: (commit, context) => publish({ ...commit, receipts: commit.receipts.slice(1) }, context),
    }))
    expect(drops).toContain('makes exactly the rows of its receipts visible, D10')
    const forgets = await load(({ publish }) => ({
      publish: (commit, context) => publish({ ...commit, state: { ...commit.state, source: null } }, context),
    }))
    expect(forgets).toContain('without receipts saves the state alone')
    const second = await load(({ publish }) => {
      let published = 0
      return { publish: (commit, context) => publish({ ...commit, version: published++ }, context) }
    })
    expect(second).toContain('repeated with the same version and run succeeds and changes nothing')
  })

  test('catches a generation that shows too early, and one that never does', async () => {
    const early = await load(({ publish }) => ({
      publish(commit, context) {
        const completed = commit.receipts.flatMap(({ tables }) => tables.map(({ stream }) => stream))
        return publish({ ...commit, completed: [...commit.completed, ...completed] }, context)
      },
    }))
    expect(early.join()).toMatch(/invisible until the publish that completes it/)
    const never = await load(({ publish }) => ({
      publish: (commit, context) => publish({ ...commit, completed: [] }, context),
    }))
    expect(never).toContain('overwrite: an empty generation empties the table')
  })
})

describe('the state store suite', () => {
  const withPut = (put: (inner: ReturnType<typeof memoryStateStore>) => ReturnType<typeof memoryStateStore>['put']) =>
    failures((runner) =>
      stateStoreConformance(runner, {
        name: 'broken',
        async create() {
          const inner = memoryStateStore()
          return { store: () => ({ get: inner.get.bind(inner), put: put(inner) }) }
        },
      }),
    )

  test('passes an honest store, and catches a put that is no compare-and-set', async () => {
    expect(await withPut((inner) => inner.put.bind(inner))).toEqual([])
    const blind = await withPut((inner) => async (scope, next, context) => {
      const { version } = await inner.get(scope, context)
      await inner.put(scope, { ...next, version }, context)
    })
    expect(blind).toContain('a put at another version conflicts and changes nothing')
  })
})
