import type { Json } from '../model/json.js'
import type { Proof, Slice } from '../model/slice.js'
import { streamKey } from '../model/stream.js'

/** The default `Reading.advance`: the last proof per slice, streams set aside under their own key. Pure, independent of the order of slices. */
export function advanceBySlice(state: Json | undefined, proof: Proof): Json {
  const before = (state ?? {}) as { readonly [id: string]: Json }
  const key = proof.type === 'set_aside' ? `set_aside:${streamKey(proof.stream)}` : `slice:${proof.slice}`
  return { ...before, [key]: proof as unknown as Json }
}

/** What a state of {@link advanceBySlice} proves about a slice. */
export function proofOfSlice(
  state: Json | undefined,
  slice: Pick<Slice, 'id'>,
): Exclude<Proof, { type: 'set_aside' }> | undefined {
  const proofs = (state ?? {}) as { readonly [id: string]: unknown }
  return proofs[`slice:${slice.id}`] as Exclude<Proof, { type: 'set_aside' }> | undefined
}
