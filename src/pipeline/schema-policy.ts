import { SynclineError } from '../errors/syncline-error.js'
import type { FieldType } from '../model/field-type.js'
import type { Field, RecordSchema } from '../model/schema.js'
import { type StreamRef, streamKey, streamRef } from '../model/stream.js'
import type { SchemaPolicy } from './options.js'

export interface SchemaChange {
  readonly field: string
  readonly change: 'added' | 'removed' | 'retyped'
  readonly from?: FieldType
  readonly to?: FieldType
}

export function schemaChanges(before: RecordSchema, now: RecordSchema): SchemaChange[] {
  const old = new Map(before.fields.map((field) => [field.name, field]))
  const changes: SchemaChange[] = []
  for (const field of now.fields) {
    const previous = old.get(field.name)
    if (previous === undefined) changes.push({ field: field.name, change: 'added', to: field.type })
    else if (JSON.stringify(previous.type) !== JSON.stringify(field.type)) {
      changes.push({ field: field.name, change: 'retyped', from: previous.type, to: field.type })
    }
    old.delete(field.name)
  }
  for (const field of old.values()) changes.push({ field: field.name, change: 'removed', from: field.type })
  return changes
}

/**
 * The fields that are read under the policy. Retyped and removed fields are the same under `evolve` and `ignore`, since values have to go
 * somewhere. Throws `NORMALIZE_SCHEMA_FROZEN`.
 */
export function applySchemaPolicy(
  policy: SchemaPolicy,
  stream: StreamRef,
  now: RecordSchema,
  changes: readonly SchemaChange[],
): readonly Field[] {
  if (policy === 'freeze' && changes.length > 0) {
    const named = changes.map(({ field, change }) => `${field} (${change})`).join(', ')
    throw new SynclineError('NORMALIZE_SCHEMA_FROZEN', `The schema of ${streamKey(stream)} changed: ${named}.`, {
      phase: 'open',
      stream: streamRef(stream),
      hint: "Set schemaPolicy to 'evolve' to take the change, or undo it at the source.",
    })
  }
  if (policy !== 'ignore') return now.fields
  const added = new Set(changes.filter(({ change }) => change === 'added').map(({ field }) => field))
  return now.fields.filter(({ name }) => !added.has(name))
}
