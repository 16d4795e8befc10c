import { DataType, type RecordBatch, tableFromIPC, type Vector } from 'apache-arrow'

const SAMPLE = 4096
/** A dictionary costs a look-up per value and pays only where values repeat. */
const MOST_DISTINCT = 0.5

/** The columns of an Arrow IPC stream whose values repeat often enough for a dictionary, judged by a sample. */
export function chooseDictionaries(stream: Uint8Array): string[] {
  const { batches, schema } = tableFromIPC(stream)
  return schema.fields
    .filter(({ type }, column) => !DataType.isBool(type) && repeats(batches, column))
    .map(({ name }) => name)
}

function repeats(batches: readonly RecordBatch[], column: number): boolean {
  const rows = batches.reduce((sum, batch) => sum + batch.numRows, 0)
  const step = Math.max(1, rows / SAMPLE)
  const seen = new Set<unknown>()
  let next = 0
  let before = 0
  let sampled = 0
  for (const batch of batches) {
    const values = batch.getChildAt(column)!
    const key = keyReader(values)
    for (; next < before + batch.numRows; next += step) {
      const row = Math.floor(next) - before
      if (!values.isValid(row)) continue
      sampled++
      seen.add(key(row))
    }
    before += batch.numRows
  }
  return sampled > 0 && seen.size <= sampled * MOST_DISTINCT
}

/** Something by which equal values are equal. */
function keyReader(values: Vector): (row: number) => unknown {
  const [data] = values.data
  const { values: raw, valueOffsets: offsets } = data!
  if (offsets !== undefined) {
    const text = Buffer.from((raw as Uint8Array).buffer, raw.byteOffset, raw.byteLength)
    return (row) => text.toString('latin1', Number(offsets[row]), Number(offsets[row + 1]))
  }
  const width = raw.length / data!.length
  if (width >= 2) return (row) => raw.subarray(row * width, (row + 1) * width).join()
  return (row) => raw[row]
}
