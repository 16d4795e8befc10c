import { SynclineError } from '../errors/syncline-error.js'
import type { Batch } from '../model/batch.js'
import { filterRows } from '../model/filter-rows.js'
import type { Rejected } from '../model/message.js'
import { recordReader } from '../model/record-values.js'
import type { ValuePolicy } from './options.js'

export interface CheckedBatch {
  readonly kept: Batch
  /** Positions of the kept rows in the batch, where some were taken out. */
  readonly rows?: Uint32Array
  readonly rejected: readonly Rejected[]
}

/** What becomes of values that the source could not represent. They are null in the batch, with the reason beside it. */
export function applyValuePolicy(policy: ValuePolicy, batch: Batch, position: number): CheckedBatch {
  if (batch.valueChanges.length === 0 || policy === 'null') return { kept: batch, rejected: [] }
  if (policy === 'fail') {
    const { field, reason } = batch.valueChanges[0]!
    throw new SynclineError(
      'SOURCE_VALUE_INVALID',
      `A value of the field '${field}' cannot be represented (${reason}).`,
      {
        phase: 'read',
        stream: batch.stream,
        hint: "Set valuePolicy to 'null' or 'reject', or mend the value at the source.",
      },
    )
  }
  const reasons = new Map<number, string>()
  for (const { row, field, reason } of batch.valueChanges) {
    const before = reasons.get(row)
    reasons.set(row, before === undefined ? `${field}: ${reason}` : `${before}; ${field}: ${reason}`)
  }
  const read = recordReader(batch.schema, batch.columns)
  const rejected = [...reasons].map(
    ([row, reason]): Rejected => ({
      type: 'rejected',
      stream: batch.stream,
      code: 'SOURCE_VALUE_INVALID',
      reason,
      position: position + row,
      record: JSON.stringify(read(row), jsonValue),
    }),
  )
  const rows = new Uint32Array(batch.length - reasons.size)
  for (let row = 0, kept = 0; row < batch.length; row++) if (!reasons.has(row)) rows[kept++] = row
  return { kept: filterRows(batch, rows), rows, rejected }
}

/** JSON has no NaN, infinities, wide integers or bytes: they are text. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
