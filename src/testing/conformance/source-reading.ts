import assert from 'node:assert/strict'
import { isSynclineError } from '../../errors/syncline-error.js'
import type { Json } from '../../model/json.js'
import type { Proof } from '../../model/slice.js'
import { type Stream, sameStream, streamKey } from '../../model/stream.js'
import type { SyncMode } from '../../model/sync-mode.js'
import { advanceOf, allSlices, readAll, readSlice, stateAfter } from './read-all.js'
import { scopesOf, streamsOf, withReading, withSource } from './source-bench.js'
import type { SourceConformance, SourceFixture } from './source-conformance.js'
import { abortedContext, deepFreeze, jsonCopy, recordText, sorted, type TestRunner, testContext } from './suite.js'

const MODES: readonly SyncMode[] = ['full_refresh', 'incremental']

export function readingTests({ describe, it }: TestRunner, suite: SourceConformance): void {
  for (const mode of MODES) {
    const forStreams = (test: (fixture: SourceFixture, streams: readonly Stream[]) => Promise<void>) => () =>
      withSource(suite, async (fixture) => {
        const streams = await streamsOf(fixture, mode)
        if (streams.length > 0) await test(fixture, streams)
      })

    describe(`reading, ${mode}`, () => {
      it(
        'the slices of a stream give each record once',
        forStreams(async (fixture, streams) => {
          for (const stream of streams) {
            const read = () =>
              withReading(fixture, scopesOf([stream], mode), async (reading) =>
                sorted((await readAll(reading, testContext())).flatMap(({ records }) => records)),
              )
            const records = await read()
            const expected = suite.expected
              ? sorted((await suite.expected(stream)).map((record) => `${streamKey(stream)} ${recordText(record)}`))
              : await read()
            const given = records.filter((text) => !text.startsWith(`${streamKey(stream)} rejected `))
            assert.deepEqual(suite.expected ? given : records, expected, streamKey(stream))
          }
        }),
      )

      it(
        'all streams in one reading, slices read concurrently, give the same as each alone',
        forStreams(async (fixture, streams) => {
          const scopes = scopesOf(streams, mode)
          const alone = await withReading(fixture, scopes, (reading) => readAll(reading, testContext()))
          const together = await withReading(fixture, scopes, async (reading) => {
            const { slices } = await allSlices(reading, testContext())
            const free = slices.filter(({ after = [] }) => after.length === 0)
            const reads = await Promise.all(free.map((slice) => readSlice(reading, slice, testContext())))
            for (const slice of slices) {
              if (!free.includes(slice)) reads.push(await readSlice(reading, slice, testContext()))
            }
            return reads
          })
          const texts = (reads: typeof alone) => sorted(reads.flatMap(({ records }) => records))
          assert.deepEqual(texts(together), texts(alone))
        }),
      )

      it(
        'plans only what was asked for, and slices wait only for slices that were given',
        forStreams(async (fixture, streams) => {
          await withReading(fixture, scopesOf(streams, mode), async (reading) => {
            const { slices, planned, late } = await allSlices(reading, testContext())
            const known = (ref: (typeof planned)[number]) => streams.some((stream) => sameStream(stream, ref))
            assert.ok(planned.every(known), 'a stream is planned that nobody asked for')
            assert.ok(
              slices.every((slice) => slice.streams.every(known)),
              'a slice has a stream that nobody asked for',
            )
            const logged = (ref: (typeof planned)[number]) =>
              mode === 'incremental' && streams.some((stream) => stream.changeLog && sameStream(stream, ref))
            assert.ok(
              late.every((slice) => slice.streams.every(logged)),
              'a slice comes after its stream was planned',
            )
            const ids = new Set(slices.map(({ id }) => id))
            for (const { after = [] } of slices)
              for (const id of after) assert.ok(ids.has(id), `no slice ${id} is given`)
          })
        }),
      )

      it(
        'goes on after every checkpoint with exactly the rest',
        forStreams(async (fixture, streams) => {
          await withReading(fixture, scopesOf(streams, mode), async (reading) => {
            for (const { slice, records, checkpoints, done } of await readAll(reading, testContext())) {
              const offset = slice.resume?.records ?? 0
              for (const checkpoint of checkpoints) {
                const rest = await readSlice(reading, slice, testContext(), jsonCopy(checkpoint))
                assert.deepEqual(rest.records, records.slice(checkpoint.records - offset), `slice ${slice.id}`)
                assert.equal(rest.done.records, done.records, `slice ${slice.id} counts otherwise after a checkpoint`)
              }
            }
          })
        }),
      )

      it(
        'advance is pure, and any order of slices gives the same state',
        forStreams(async (fixture, streams) => {
          const scopes = scopesOf(streams, mode)
          await withReading(fixture, scopes, async (reading) => {
            const advance = advanceOf(reading)
            const reads = await readAll(reading, testContext())
            for (const { scope, streams: inScope } of scopes) {
              const own = reads.filter(({ slice }) =>
                slice.streams.some((ref) => inScope.some(({ stream }) => sameStream(stream, ref))),
              )
              const proofs = own.map(({ checkpoints, done }) => [...checkpoints, done])
              const step = (state: Json | undefined, proof: Proof) =>
                deepFreeze(advance(state, deepFreeze(jsonCopy(proof)), scope))
              const stateOf = (order: readonly (readonly Proof[])[]) =>
                order.flat().reduce<Json | undefined>(step, undefined)
              const forward = stateOf(proofs)
              assert.deepEqual(stateOf([...proofs].reverse()), forward, 'slices in reverse')
              const rounds = Math.max(0, ...proofs.map(({ length }) => length))
              const interleaved = Array.from({ length: rounds }, (_, round) =>
                proofs.flatMap((own) => own.slice(round, round + 1)),
              )
              assert.deepEqual(stateOf(interleaved), forward, 'slices interleaved')
              assert.deepEqual(stateOf(own.map(({ done }) => [done])), forward, 'checkpoints left out')
              assert.deepEqual(jsonCopy(forward ?? null), forward ?? null, 'a state is not plain JSON')
            }
          })
        }),
      )

      it(
        'a saved state leaves out what is proved, and nothing else',
        forStreams(async (fixture, streams) => {
          for (const stream of streams) {
            const scope = stream.scope ?? streamKey(stream)
            const { first, rest, state, all } = await withReading(
              fixture,
              scopesOf([stream], mode),
              async (reading) => {
                const reads = await readAll(reading, testContext())
                const first = reads.filter((_, index) => index % 2 === 0)
                const all = sorted(reads.flatMap(({ records }) => records))
                const rest = reads.filter((read) => !first.includes(read))
                return { first, rest, all, state: first.length === 0 ? undefined : stateAfter(reading, first, scope) }
              },
            )
            // What waits for another slice cannot be proved before it.
            if (state === undefined || rest.length === 0 || first.some(({ slice }) => slice.after)) continue
            const scopes = scopesOf([stream], mode, { [scope]: jsonCopy(state) })
            await withReading(fixture, scopes, async (reading) => {
              const again = sorted((await readAll(reading, testContext())).flatMap(({ records }) => records))
              const restarted = reading.restarted.some((ref) => sameStream(ref, stream))
              const expected = restarted ? all : sorted(rest.flatMap(({ records }) => records))
              assert.deepEqual(again, expected, `${streamKey(stream)}${restarted ? ', restarted' : ''}`)
            })
          }
        }),
      )

      it(
        'a saved checkpoint leaves out what it proves, and nothing else',
        forStreams(async (fixture, streams) => {
          for (const stream of streams) {
            const scope = stream.scope ?? streamKey(stream)
            const saved = await withReading(fixture, scopesOf([stream], mode), async (reading) => {
              const reads = await readAll(reading, testContext())
              const read = reads.find(({ slice, checkpoints }) => !slice.after && checkpoints.length > 0)
              if (read === undefined) return undefined
              const checkpoint = read.checkpoints[Math.floor(read.checkpoints.length / 2)]!
              const proved = read.records.slice(0, checkpoint.records)
              const all = reads.flatMap(({ records }) => records)
              return { proved, all, state: advanceOf(reading)(undefined, checkpoint, scope) }
            })
            if (saved === undefined) continue
            const scopes = scopesOf([stream], mode, { [scope]: jsonCopy(saved.state) })
            await withReading(fixture, scopes, async (reading) => {
              const again = (await readAll(reading, testContext())).flatMap(({ records }) => records)
              const restarted = reading.restarted.some((ref) => sameStream(ref, stream))
              const whole = restarted ? again : [...saved.proved, ...again]
              assert.deepEqual(
                sorted(whole),
                sorted(saved.all),
                `${streamKey(stream)}${restarted ? ', restarted' : ''}`,
              )
            })
          }
        }),
      )

      it(
        'a restart gives everything again, whatever the state proves',
        forStreams(async (fixture, streams) => {
          for (const stream of streams) {
            const scope = stream.scope ?? streamKey(stream)
            const texts = async (reading: Parameters<typeof readAll>[0]) => {
              const reads = await readAll(reading, testContext())
              return { reads, all: sorted(reads.flatMap(({ records }) => records)) }
            }
            const first = await withReading(fixture, scopesOf([stream], mode), async (reading) => {
              const { reads, all } = await texts(reading)
              return { all, state: reads.length === 0 ? undefined : stateAfter(reading, reads, scope) }
            })
            const states = first.state === undefined ? {} : { [scope]: jsonCopy(first.state) }
            const again = await withReading(fixture, scopesOf([stream], mode, states, true), texts)
            assert.deepEqual(again.all, first.all, streamKey(stream))
          }
        }),
      )

      it(
        'slice ids are never given again for a new generation',
        forStreams(async (fixture, streams) => {
          const ids = () =>
            withReading(fixture, scopesOf(streams, 'full_refresh', {}, true), async (reading) =>
              (await allSlices(reading, testContext())).slices
                .filter(({ epoch }) => epoch !== undefined)
                .map(({ id }) => id),
            )
          if (mode !== 'full_refresh') return
          const [first, second] = [await ids(), await ids()]
          assert.deepEqual(
            first.filter((id) => second.includes(id)),
            [],
          )
        }),
      )

      it(
        'ends on the signal, and frees a read that is left early',
        forStreams(async (fixture, streams) => {
          const scopes = scopesOf(streams, mode)
          await assert.rejects(fixture.source.open({ scopes, until: 'now' }, abortedContext()))
          await withReading(fixture, scopes, async (reading) => {
            const { slices } = await allSlices(reading, testContext())
            for (const slice of slices.filter(({ after = [] }) => after.length === 0)) {
              for await (const _ of reading.read(slice, slice.resume, testContext())) break
              const controller = new AbortController()
              const aborted = async () => {
                for await (const _ of reading.read(slice, slice.resume, testContext({ signal: controller.signal }))) {
                  controller.abort(new Error('aborted by the suite'))
                }
              }
              await assert.rejects(aborted(), `slice ${slice.id} was read to its end although the signal was aborted`)
              await readSlice(reading, slice, testContext())
            }
          })
          await withReading(fixture, scopes, async (reading) => {
            await assert.rejects(async () => {
              for await (const _ of reading.slices(abortedContext())) break
            })
          })
        }),
      )
    })
  }

  describe('epochs', () => {
    it('a lost epoch is told as such, and its streams are read anew', () =>
      withSource(suite, async (fixture) => {
        if (fixture.endEpochs === undefined) return
        const streams = await streamsOf(fixture, 'full_refresh')
        for (const stream of streams) {
          const scope = stream.scope ?? streamKey(stream)
          const state = await withReading(fixture, scopesOf([stream], 'full_refresh'), async (reading) => {
            const { slices } = await allSlices(reading, testContext())
            const [first, second] = slices.filter(({ epoch }) => epoch !== undefined)
            if (first === undefined || second === undefined) return undefined
            const read = await readSlice(reading, first, testContext())
            await fixture.endEpochs!()
            await assert.rejects(
              readSlice(reading, second, testContext()),
              (error) => isSynclineError(error) && error.retry === 'automatic',
            )
            return stateAfter(reading, [read], scope)
          })
          if (state === undefined) continue
          const scopes = scopesOf([stream], 'full_refresh', { [scope]: jsonCopy(state) })
          await withReading(fixture, scopes, async (reading) => {
            assert.ok(
              reading.restarted.some((ref) => sameStream(ref, stream)),
              `${streamKey(stream)} is not restarted`,
            )
            const again = (await readAll(reading, testContext())).flatMap(({ records }) => records)
            const whole = await withReading(fixture, scopesOf([stream], 'full_refresh'), async (fresh) =>
              (await readAll(fresh, testContext())).flatMap(({ records }) => records),
            )
            assert.deepEqual(sorted(again), sorted(whole))
          })
        }
      }))
  })
}
