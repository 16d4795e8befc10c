import type { Message } from '../model/message.js'
import type { Slice } from '../model/slice.js'
import { streamKey } from '../model/stream.js'
import type { Planned, Reading, Source } from '../source/source.js'
import { type CallDetails, hooked, type OnCall } from './on-call.js'

/** The same source, with `onCall` around each of its calls. */
export function observedSource(source: Source, onCall: OnCall): Source {
  let readings = 0
  return {
    name: source.name,
    ...(source.nativeFormats && { nativeFormats: source.nativeFormats }),
    check: (context) => hooked(onCall, 'source.check', {}, () => source.check(context)),
    discover: (context) => hooked(onCall, 'source.discover', {}, () => source.discover(context)),
    async open(request, context) {
      const reading = ++readings
      const details = { reading, scopes: request.scopes.map(({ scope }) => scope) }
      return observedReading(
        await hooked(onCall, 'source.open', details, () => source.open(request, context)),
        { reading },
        onCall,
      )
    },
  }
}

function observedReading(reading: Reading, id: CallDetails, onCall: OnCall): Reading {
  const { acknowledge, advance } = reading
  return {
    restarted: reading.restarted,
    async *slices(context) {
      await hooked(onCall, 'reading.slices', id, async () => {})
      const pull = (result: IteratorResult<Slice | Planned>): CallDetails =>
        result.done
          ? { done: true }
          : 'planned' in result.value
            ? { planned: streamKey(result.value.planned) }
            : { slice: result.value.id }
      yield* observedIteration(reading.slices(context), 'reading.slices.next', undefined, id, pull, onCall)
    },
    async *read(slice, after, context) {
      const details = { ...id, slice: slice.id, from: after?.records ?? 0 }
      await hooked(onCall, 'reading.read', details, async () => {})
      const pull = (result: IteratorResult<Message>): CallDetails =>
        result.done ? { done: true } : { message: result.value.type }
      yield* observedIteration(
        reading.read(slice, after, context),
        'reading.read.next',
        'reading.read.return',
        details,
        pull,
        onCall,
      )
    },
    ...(advance && { advance: advance.bind(reading) }),
    ...(acknowledge && {
      acknowledge: (state, scope, context) =>
        hooked(onCall, 'reading.acknowledge', { ...id, scope, state }, () =>
          acknowledge.call(reading, state, scope, context),
        ),
    }),
    close: (context) => hooked(onCall, 'reading.close', id, () => reading.close(context)),
  }
}

async function* observedIteration<T>(
  iterable: AsyncIterable<T>,
  next: 'reading.slices.next' | 'reading.read.next',
  leave: 'reading.read.return' | undefined,
  details: CallDetails,
  outcome: (result: IteratorResult<T>) => CallDetails,
  onCall: OnCall,
): AsyncGenerator<T, void, undefined> {
  const iterator = iterable[Symbol.asyncIterator]()
  let finished = false
  try {
    for (;;) {
      const result = await hooked(onCall, next, details, () => iterator.next(), outcome)
      if (result.done) {
        finished = true
        return
      }
      yield result.value
    }
  } finally {
    if (!finished) await iterator.return?.()
    if (leave) await onCall(leave, 'after', { ...details, early: !finished })
  }
}
