import type { Json } from '../../model/json.js'
import type { Stream } from '../../model/stream.js'
import type { SyncMode } from '../../model/sync-mode.js'
import type { Reading, ReadScope } from '../../source/source.js'
import type { SourceConformance, SourceFixture } from './source-conformance.js'
import { configured, testContext } from './suite.js'

/** Runs a test with a fresh fixture, and frees it. */
export async function withSource(
  { create }: SourceConformance,
  test: (fixture: SourceFixture) => Promise<void>,
): Promise<void> {
  const fixture = await create()
  try {
    await test(fixture)
  } finally {
    await fixture.close?.()
  }
}

/** The streams that can be read in this mode. Those that need a cursor and have none by default are left aside. */
export async function streamsOf({ source }: SourceFixture, syncMode: SyncMode): Promise<readonly Stream[]> {
  const { streams } = await source.discover(testContext())
  return streams.filter(
    (stream) =>
      stream.syncModes.includes(syncMode) &&
      (syncMode === 'full_refresh' || stream.sourceDefinedCursor || stream.defaultCursorField !== undefined),
  )
}

export function scopesOf(
  streams: readonly Stream[],
  syncMode: SyncMode,
  states: { readonly [scope: string]: Json } = {},
  restart = false,
): ReadScope[] {
  const scopes = new Map<string, ReadScope & { streams: ReadScope['streams'][number][] }>()
  for (const stream of streams) {
    const one = configured(stream, { syncMode, destinationSyncMode: 'append' })
    const state = states[one.scope]
    const scope = scopes.get(one.scope) ?? { scope: one.scope, streams: [], ...(state !== undefined && { state }) }
    scope.streams.push({ stream: one, restart })
    scopes.set(one.scope, scope)
  }
  return [...scopes.values()]
}

/** Opens a reading, and closes it after the work. */
export async function withReading<T>(
  { source }: SourceFixture,
  scopes: readonly ReadScope[],
  work: (reading: Reading) => Promise<T>,
): Promise<T> {
  const context = testContext()
  const reading = await source.open({ scopes, until: 'now' }, context)
  try {
    return await work(reading)
  } finally {
    await reading.close(context)
  }
}
