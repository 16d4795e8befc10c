import { readThrift, THRIFT, type ThriftList, type ThriftStruct, WrittenStruct, writeThrift } from './thrift.js'

/** Field ids of parquet.thrift. */
const FILE = { rows: 3, rowGroups: 4 } as const
const ROW_GROUP = { columns: 1, rows: 3, fileOffset: 5, ordinal: 7 } as const
const CHUNK = {
  fileOffset: 2,
  metadata: 3,
  offsetIndex: 4,
  offsetIndexLength: 5,
  columnIndex: 6,
  columnIndexLength: 7,
} as const
const COLUMN = {
  compressedSize: 7,
  dataPage: 9,
  indexPage: 10,
  dictionaryPage: 11,
  bloomFilter: 14,
  bloomFilterLength: 15,
} as const

const MAGIC = new TextEncoder().encode('PAR1')

/**
 * Makes one Parquet file of many small ones with equal columns: their column chunks one after the other, and one footer in which their offsets
 * are moved. So each row group can be encoded alone, by any thread, and no file is ever held as a whole. Page indexes hold
 * offsets too and are left out; statistics of the column chunks stay.
 */
export class ParquetStitcher {
  #position = 0
  #rows = 0n
  #footer: ThriftStruct | undefined
  readonly #rowGroups: WrittenStruct[] = []

  /** Bytes given out so far. */
  get position(): number {
    return this.#position
  }

  /** The parts of the file that come next, for a complete Parquet file whose rows are to be added. */
  add(file: Uint8Array): Uint8Array[] {
    const footer = readThrift(file.subarray(footerStart(file), file.length - 8))
    this.#footer ??= footer
    const parts = this.#position === 0 ? [this.#take(MAGIC)] : []
    const groups = list(footer, FILE.rowGroups).items as ThriftStruct[]
    const end = Math.max(MAGIC.length, ...groups.flatMap((group) => chunksOf(group).map(chunkEnd)))
    const moved = BigInt(this.#position - MAGIC.length)
    for (const group of groups) {
      this.#rows += long(group, ROW_GROUP.rows)
      this.#rowGroups.push(new WrittenStruct(writeThrift(movedGroup(group, moved))))
    }
    if (end > MAGIC.length) parts.push(this.#take(file.subarray(MAGIC.length, end)))
    return parts
  }

  /** The end of the file. At least one file must have been added, for the columns. */
  finish(): Uint8Array {
    const footer: ThriftStruct = new Map(this.#footer)
    footer.set(FILE.rows, { type: THRIFT.i64, value: this.#rows })
    footer.set(FILE.rowGroups, { type: THRIFT.list, value: { type: THRIFT.struct, items: this.#rowGroups } })
    const thrift = writeThrift(footer)
    const end = new Uint8Array(thrift.length + 8)
    end.set(thrift)
    new DataView(end.buffer).setUint32(thrift.length, thrift.length, true)
    end.set(MAGIC, thrift.length + 4)
    return this.#take(end)
  }

  #take(bytes: Uint8Array): Uint8Array {
    this.#position += bytes.length
    return bytes
  }
}

function footerStart(file: Uint8Array): number {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(file.length - 8, true)
  return file.length - 8 - length
}

function chunksOf(group: ThriftStruct): ThriftStruct[] {
  return list(group, ROW_GROUP.columns).items as ThriftStruct[]
}

function chunkEnd(chunk: ThriftStruct): number {
  const column = chunk.get(CHUNK.metadata)!.value as ThriftStruct
  const start = column.get(COLUMN.dictionaryPage) ?? column.get(COLUMN.dataPage)
  return Number((start!.value as bigint) + long(column, COLUMN.compressedSize))
}

function movedGroup(group: ThriftStruct, by: bigint): ThriftStruct {
  const columns = chunksOf(group).map((chunk) => {
    const column = new Map(chunk.get(CHUNK.metadata)!.value as ThriftStruct)
    for (const id of [COLUMN.dataPage, COLUMN.indexPage, COLUMN.dictionaryPage]) move(column, id, by)
    column.delete(COLUMN.bloomFilter)
    column.delete(COLUMN.bloomFilterLength)
    const moved = new Map(chunk)
    moved.set(CHUNK.metadata, { type: THRIFT.struct, value: column })
    // Writers that know no better put 0 here.
    if (long(chunk, CHUNK.fileOffset) !== 0n) move(moved, CHUNK.fileOffset, by)
    for (const id of [CHUNK.offsetIndex, CHUNK.offsetIndexLength, CHUNK.columnIndex, CHUNK.columnIndexLength])
      moved.delete(id)
    return moved
  })
  const moved = new Map(group)
  moved.set(ROW_GROUP.columns, { type: THRIFT.list, value: { type: THRIFT.struct, items: columns } })
  move(moved, ROW_GROUP.fileOffset, by)
  // Counts row groups from 0, and is needed for encrypted files only.
  moved.delete(ROW_GROUP.ordinal)
  return moved
}

function move(struct: ThriftStruct, id: number, by: bigint): void {
  const field = struct.get(id)
  if (field !== undefined) struct.set(id, { type: field.type, value: (field.value as bigint) + by })
}

function long(struct: ThriftStruct, id: number): bigint {
  return (struct.get(id)?.value as bigint | undefined) ?? 0n
}

function list(struct: ThriftStruct, id: number): ThriftList {
  return struct.get(id)!.value as ThriftList
}
