import assert from 'node:assert/strict'
import { isSynclineError } from '../../errors/syncline-error.js'
import type { Json } from '../../model/json.js'
import type { ScopeState } from '../../model/state.js'
import type { StateStore } from '../../state/state-store.js'
import { type TestRunner, testContext } from './suite.js'

/** A state store to be tested, on an empty place of its own. */
export interface StateStoreFixture {
  /** A new store on this place, as a new process would make it. For a store that dies with its process: the same one again. */
  readonly store: () => StateStore
  /** Called once, last. */
  readonly close?: () => Promise<void>
}

export interface StateStoreConformance {
  readonly name: string
  readonly create: () => Promise<StateStoreFixture>
}

const SCOPE = { pipeline: 'conformance', scope: 'scope' }

function stateOf(source: Json): ScopeState {
  const recordSchema = { fields: [{ name: 'id', type: { kind: 'int64' }, nullable: false }] } as const
  const stream = {
    generation: 1,
    generationId: 'g',
    open: false,
    schema: null,
    syncMode: 'incremental',
    recordSchema,
  } as const
  return { source, streams: { 'shop.orders': stream } }
}

const hasCode = (code: string) => (error: unknown) => isSynclineError(error) && error.code === code

/** Every promise of `StateStore`, as tests of the given runner. */
export function stateStoreConformance({ describe, it }: TestRunner, suite: StateStoreConformance): void {
  const withStore = (test: (fixture: StateStoreFixture) => Promise<void>) => async () => {
    const fixture = await suite.create()
    try {
      await test(fixture)
    } finally {
      await fixture.close?.()
    }
  }
  const context = (run = 'run-1') => testContext({ run })

  describe(`${suite.name}: state store conformance`, () => {
    it(
      'a scope that nobody wrote has version 0 and no state',
      withStore(async ({ store }) => {
        assert.deepEqual(await store().get(SCOPE, context()), { version: 0 })
      }),
    )

    it(
      'gives back what was put, also to a new process',
      withStore(async ({ store }) => {
        const state = stateOf({
          text: '😀 "quoted"\n',
          number: 0.1,
          nested: [null, { a: true }],
          long: 'x'.repeat(100_000),
        })
        await store().put(SCOPE, { state, version: 0, run: 'run-1' }, context())
        assert.deepEqual(await store().get(SCOPE, context()), { state, version: 1, run: 'run-1' })
        await store().put(SCOPE, { state: stateOf(2), version: 1, run: 'run-2' }, context('run-2'))
        assert.deepEqual(await store().get(SCOPE, context()), { state: stateOf(2), version: 2, run: 'run-2' })
      }),
    )

    it(
      'what was given or put cannot be changed from outside',
      withStore(async ({ store }) => {
        const one = store()
        const source = { at: 1 }
        await one.put(SCOPE, { state: stateOf(source), version: 0, run: 'run-1' }, context())
        source.at = 2
        const given = await one.get(SCOPE, context())
        assert.deepEqual(given.state?.source, { at: 1 })
        Object.assign(given.state?.source as object, { at: 3 })
        assert.deepEqual((await one.get(SCOPE, context())).state?.source, { at: 1 })
      }),
    )

    it(
      'a put at another version conflicts and changes nothing',
      withStore(async ({ store }) => {
        const one = store()
        await one.put(SCOPE, { state: stateOf(1), version: 0, run: 'run-1' }, context())
        const before = await one.get(SCOPE, context())
        for (const version of [0, 2, 7]) {
          const put = one.put(SCOPE, { state: stateOf('late'), version, run: 'run-2' }, context('run-2'))
          await assert.rejects(put, hasCode('STATE_CONFLICT'), `version ${version}`)
        }
        assert.deepEqual(await store().get(SCOPE, context()), before)
      }),
    )

    it(
      'repeating a put with the same run and version succeeds',
      withStore(async ({ store }) => {
        const next = { state: stateOf(1), version: 0, run: 'run-1' }
        await store().put(SCOPE, next, context())
        await store().put(SCOPE, next, context())
        assert.deepEqual(await store().get(SCOPE, context()), { state: stateOf(1), version: 1, run: 'run-1' })
      }),
    )

    it(
      'of many puts at one version exactly one wins',
      withStore(async ({ store }) => {
        const puts = Array.from({ length: 10 }, (_, index) => {
          const run = `run-${index}`
          return store().put(SCOPE, { state: stateOf(run), version: 0, run }, context(run))
        })
        const outcomes = await Promise.allSettled(puts)
        const won = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`run-${index}`] : []))
        assert.equal(won.length, 1, `${won.length} puts won`)
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected')
            assert.ok(hasCode('STATE_CONFLICT')(outcome.reason), String(outcome.reason))
        }
        assert.deepEqual(await store().get(SCOPE, context()), { state: stateOf(won[0]!), version: 1, run: won[0] })
      }),
    )

    it(
      'scopes with hostile and similar names stay apart',
      withStore(async ({ store }) => {
        const names = [
          'a',
          'A',
          'a.b',
          'a/b',
          '../a',
          'a\\b',
          'a b',
          '',
          '😀',
          'con',
          '%2F',
          'x'.repeat(300),
          `${'x'.repeat(299)}y`,
        ]
        const scopes = [
          ...names.map((scope) => ({ pipeline: 'pipeline', scope })),
          ...names.filter((name) => name !== '').map((pipeline) => ({ pipeline, scope: 'scope' })),
          { pipeline: 'a/b', scope: 'c' },
          { pipeline: 'a', scope: 'b/c' },
        ]
        await Promise.all(
          scopes.map((scope, index) =>
            store().put(scope, { state: stateOf(index), version: 0, run: 'run-1' }, context()),
          ),
        )
        for (const [index, scope] of scopes.entries()) {
          assert.equal((await store().get(scope, context())).state?.source, index, JSON.stringify(scope))
        }
      }),
    )

    it(
      'the lock of a scope has one holder at a time',
      withStore(async ({ store }) => {
        const [one, other] = [store(), store()]
        if (one.acquire === undefined || other.acquire === undefined) return
        const lock = await one.acquire(SCOPE, context())
        await assert.rejects(other.acquire(SCOPE, context('run-2')), hasCode('STATE_LOCKED'))
        const elsewhere = await other.acquire({ ...SCOPE, scope: 'another' }, context('run-2'))
        await lock.release()
        const next = await other.acquire(SCOPE, context('run-2'))
        await assert.rejects(one.acquire(SCOPE, context()), hasCode('STATE_LOCKED'))
        await next.release()
        await elsewhere.release()
      }),
    )

    it(
      'the lock is no fence: get and put work without it',
      withStore(async ({ store }) => {
        const lock = await store().acquire?.(SCOPE, context())
        await store().put(SCOPE, { state: stateOf(1), version: 0, run: 'run-2' }, context('run-2'))
        assert.equal((await store().get(SCOPE, context())).version, 1)
        await lock?.release()
      }),
    )
  })
}
