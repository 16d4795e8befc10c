import type { Context, ScopeState } from 'syncline'

export const context: Context = {
  signal: new AbortController().signal,
  log: () => {},
  now: () => new Date(0),
  run: 'test',
}

export const scope = { pipeline: 'shop', scope: 'public.orders' }

/** A state that can be told from others by its number. */
export function stateOf(number: number): ScopeState {
  return {
    source: { cursor: number },
    streams: {
      'public.orders': {
        generation: 1,
        generationId: 'g1',
        open: false,
        schema: { fields: [] },
        syncMode: 'incremental',
        recordSchema: { fields: [{ name: 'id', type: { kind: 'int64' }, nullable: false }] },
      },
    },
  }
}
