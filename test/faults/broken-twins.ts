import type { Commit, Destination, Json, Load, Reading, Receipt, Source, Writer } from 'syncline'
import type { World } from './harness.js'

/** Parts of a pipeline's promises, broken on purpose. Each stands between the pipeline and an honest connector. */

type BreakSource = (source: Source, world: World) => Source
type BreakDestination = (destination: Destination, world: World) => Destination

/** The same destination with other loads. */
function withLoad(destination: Destination, change: (load: Load) => Load): Destination {
  return {
    ...destination,
    async open(plan, context) {
      return change(await destination.open(plan, context))
    },
  }
}

function withWriter(destination: Destination, change: (writer: Writer) => Writer): Destination {
  return withLoad(destination, (load) => ({
    writer: async (...args) => change(await load.writer(...args)),
    publish: (commit, context) => load.publish(commit, context),
    close: (context) => load.close(context),
  }))
}

/** The same source with other readings. */
function withReading(source: Source, change: (reading: Reading) => Reading): Source {
  return {
    ...source,
    async open(request, context) {
      return change(await source.open(request, context))
    },
  }
}

function sameReading(reading: Reading): Reading {
  return {
    restarted: reading.restarted,
    slices: (context) => reading.slices(context),
    read: (slice, after, context) => reading.read(slice, after, context),
    ...(reading.advance && { advance: reading.advance.bind(reading) }),
    ...(reading.acknowledge && { acknowledge: reading.acknowledge.bind(reading) }),
    close: (context) => reading.close(context),
  }
}

/** D1: the state is saved, and only then the rows. */
export const savesStateFirst: BreakDestination = (destination) =>
  withLoad(destination, (load) => {
    // The versions that this uses up are hidden from the pipeline, or it would be noticed by them.
    let hidden = 0
    return {
      writer: (...args) => load.writer(...args),
      async publish(commit, context) {
        const version = commit.version + hidden
        await load.publish({ ...commit, version, receipts: [], completed: [] }, context)
        hidden++
        await load.publish({ ...commit, version: version + 1 }, context)
      },
      close: (context) => load.close(context),
    }
  })

/** D2: the state is what the slice that ended last says, not what all proofs give together. */
export const keepsLastProofOnly: BreakSource = (source) =>
  withReading(source, (reading) => ({
    ...sameReading(reading),
    advance(state, proof, scope) {
      const position = 'position' in proof ? (proof.position as { kind?: string; uppers?: Json[]; index?: number }) : {}
      if (position.kind !== 'window') return reading.advance!(state, proof, scope)
      if (proof.type === 'checkpoint') return state ?? null
      // "All up to here": as if the slices below it had been read.
      const uppers = [position.uppers![position.index!]!]
      const alone = { ...proof, position: { ...position, uppers, index: 0 } as unknown as Json }
      return reading.advance!(state, alone as typeof proof, scope)
    },
  }))

/** D3: the source is told of a state before it is published. */
export function acknowledgesFirst(): { readonly source: BreakSource; readonly destination: BreakDestination } {
  let open: Reading | undefined
  return {
    source: (source) =>
      withReading(source, (reading) => {
        open = reading
        const { acknowledge: _, ...silent } = sameReading(reading)
        return silent
      }),
    destination: (destination) => ({
      ...destination,
      async open(plan, context) {
        const load = await destination.open(plan, context)
        return {
          writer: (...args) => load.writer(...args),
          async publish(commit, settle) {
            if (commit.state.source !== null) await open?.acknowledge?.(commit.state.source, plan.scope.scope, settle)
            await load.publish(commit, settle)
          },
          close: (settle) => load.close(settle),
        }
      },
    }),
  }
}

/** D4: after the snapshot is gone, a copy goes on in another one as if nothing had happened. */
export const ignoresLostEpochs: BreakSource = (source, world) => {
  const { tables } = world.shop
  const honest = tables.snapshotOf.bind(tables)
  tables.snapshotOf = (epoch) => honest(epoch) ?? { ...tables.snapshot(), epoch }
  return source
}

/** D6: rows that share the cursor value at which the last reading ended count as read. */
export const movesPastTies: BreakSource = (source, world) => ({
  ...source,
  open(request, context) {
    const all = world.shop.tables.tables.flatMap(({ rows }) => rows.map(({ id }) => id))
    const blind = (json: Json): Json =>
      JSON.parse(JSON.stringify(json), (key, value) => (key === 'seen' ? all : value)) as Json
    const scopes = request.scopes.map((scope) =>
      scope.state === undefined ? scope : { ...scope, state: blind(scope.state) },
    )
    return source.open({ ...request, scopes }, context)
  },
})

/** D7: an attempt that ends early is never withdrawn. */
export const forgetsToDiscard: BreakDestination = (destination) =>
  withWriter(destination, (writer) => ({
    write: (batch, context) => writer.write(batch, context),
    seal: (context) => writer.seal(context),
    discard: async () => {},
  }))

/** D7: what settles a run gets the signal that the host aborted. */
export const settlesWithAbortedSignal: BreakDestination = (destination) => ({
  ...destination,
  async open(plan, work) {
    const load = await destination.open(plan, work)
    return {
      async writer(slice, attempt, context) {
        const writer = await load.writer(slice, attempt, context)
        return {
          write: (batch, own) => writer.write(batch, own),
          seal: () => writer.seal(context),
          discard: () => writer.discard(context),
        }
      },
      publish: (commit) => load.publish(commit, work),
      close: () => load.close(work),
    }
  },
})

/** D8: a full refresh replaces the old data with its first piece. */
export const swapsBeforeTheEnd: BreakDestination = (destination) => ({
  ...destination,
  async open(plan, context) {
    const load = await destination.open(plan, context)
    const swapped = new Set<string>()
    const early = ({ receipts, completed }: Commit) => {
      const streams = plan.streams.filter(({ open, stream }) => open && !stream.changeLog).map(({ stream }) => stream)
      const begun = streams.filter(
        ({ name }) =>
          !swapped.has(name) && receipts.some(({ tables }) => tables.some(({ stream }) => stream.name === name)),
      )
      for (const { name } of begun) swapped.add(name)
      const left = completed.filter(({ name }) => !swapped.has(name))
      return [...left, ...begun.map(({ name, namespace }) => ({ name, ...(namespace !== undefined && { namespace }) }))]
    }
    return {
      writer: (...args) => load.writer(...args),
      publish: (commit, settle) => load.publish({ ...commit, completed: early(commit) }, settle),
      close: (settle) => load.close(settle),
    }
  },
})

/** D9: the version is no fence: a publish that comes too late is published all the same. */
export const ignoresVersions: BreakDestination = (destination, world) => ({
  ...destination,
  async open(plan, context) {
    const load = await destination.open(plan, context)
    const stored = () =>
      [...world.store.scopes].find(([key]) => key === JSON.stringify([plan.scope.pipeline, plan.scope.scope]))?.[1]
    return {
      writer: (...args) => load.writer(...args),
      publish: (commit, settle) => load.publish({ ...commit, version: stored()?.version ?? 0 }, settle),
      close: (settle) => load.close(settle),
    }
  },
})

/** D9: every so often a slice that is already proved is given again, as other rows. */
export const repeatsSlices: BreakSource = (source) => ({
  ...source,
  open(request, context) {
    // The state is lost on its way to the source, but its streams are not told to begin anew.
    const forgetful = request.scopes.map(({ state, ...scope }) =>
      scope.scope === 'shop.events' ? scope : { ...scope, ...(state !== undefined && { state }) },
    )
    return source.open({ ...request, scopes: forgetful }, context)
  },
})

/** D10: a publish takes whatever has been written by then, proved or not. */
export const publishesPastItsReceipts: BreakDestination = (destination) =>
  withLoad(destination, (load) => {
    let sealed: Receipt[] = []
    return {
      async writer(...args) {
        const writer = await load.writer(...args)
        let counted: Receipt['tables'][number][] = []
        return {
          async write(batch, context) {
            await writer.write(batch, context)
            const receipt = await writer.seal({ ...context, signal: new AbortController().signal })
            sealed.push(receipt)
            counted.push(...receipt.tables)
          },
          async seal(context) {
            const tables = sumTables(counted)
            counted = []
            return { ...(await writer.seal(context)), tables }
          },
          discard: (context) => writer.discard(context),
        }
      },
      async publish(commit, context) {
        const receipts = sealed
        sealed = []
        await load.publish({ ...commit, receipts }, context)
      },
      close: (context) => load.close(context),
    }
  })

function sumTables(tables: Receipt['tables']): Receipt['tables'] {
  const sums = new Map<string, Receipt['tables'][number]>()
  for (const table of tables) {
    const key = JSON.stringify([table.stream, table.table])
    const sum = sums.get(key)
    sums.set(key, sum ? { ...sum, records: sum.records + table.records, bytes: sum.bytes + table.bytes } : table)
  }
  return [...sums.values()]
}

/** D10: what an attempt wrote before it failed is kept, and published with the next piece. */
export const keepsWhatFailed: BreakDestination = (destination) =>
  withLoad(destination, (load) => {
    let kept: Receipt[] = []
    return {
      async writer(...args) {
        const writer = await load.writer(...args)
        return {
          write: (batch, context) => writer.write(batch, context),
          seal: (context) => writer.seal(context),
          async discard(context) {
            kept.push(await writer.seal(context))
            await writer.discard(context)
          },
        }
      },
      async publish(commit, context) {
        const late = kept
        kept = []
        await load.publish({ ...commit, receipts: [...commit.receipts, ...late] }, context)
      },
      close: (context) => load.close(context),
    }
  })
