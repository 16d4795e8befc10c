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

/** A complete Parquet file, taken apart so that it can be a part of a larger one. */
export interface ParquetPart {
  /** Its column chunks. */
  readonly data: Uint8Array<ArrayBuffer>
  /** Written row groups, with offsets for the place in the larger file. */
  readonly rowGroups: readonly Uint8Array<ArrayBuffer>[]
  readonly rows: number
  /** Its footer without row groups: the columns and what else is the same in each part. */
  readonly footer: Uint8Array<ArrayBuffer>
}

/**
 * Takes a Parquet file apart whose column chunks are to stand at `position` of a larger file. Page indexes hold offsets too and are left out; statistics of
 * the column chunks stay.
 */
export function takeApart(file: Uint8Array<ArrayBuffer>, position: number): ParquetPart {
  const footer = readThrift(file.subarray(footerStart(file), file.length - 8))
  const groups = list(footer, FILE.rowGroups).items as ThriftStruct[]
  const end = Math.max(MAGIC.length, ...groups.flatMap((group) => chunksOf(group).map(chunkEnd)))
  const moved = BigInt(position - MAGIC.length)
  return {
    data: file.subarray(MAGIC.length, end),
    rowGroups: groups.map((group) => writeThrift(movedGroup(group, moved))),
    rows: groups.reduce((sum, group) => sum + Number(long(group, ROW_GROUP.rows)), 0),
    footer: writeThrift(withRowGroups(footer, [], 0)),
  }
}

/**
 * Makes one Parquet file of the parts of many small ones with equal columns: their column chunks one after the other, and one footer. So each row group
 * can be encoded alone, by any thread, and no file is ever held as a whole.
 */
export class ParquetStitcher {
  /** Bytes given out so far. */
  position = 0
  #rows = 0
  #footer: Uint8Array | undefined
  readonly #rowGroups: WrittenStruct[] = []

  /** Where the next part's column chunks will stand. */
  get next(): number {
    return Math.max(this.position, MAGIC.length)
  }

  /** The bytes of the file that come next. */
  add({ data, rowGroups, rows, footer }: ParquetPart): Uint8Array[] {
    const bytes = this.position === 0 ? [MAGIC, data] : [data]
    this.#footer ??= footer
    this.#rows += rows
    for (const group of rowGroups) this.#rowGroups.push(new WrittenStruct(group))
    for (const { length } of bytes) this.position += length
    return bytes.filter(({ length }) => length > 0)
  }

  /** The end of the file. At least one part must have been added, for the columns. */
  finish(): Uint8Array {
    const thrift = writeThrift(withRowGroups(readThrift(this.#footer!), this.#rowGroups, this.#rows))
    const end = new Uint8Array(thrift.length + 8)
    end.set(thrift)
    new DataView(end.buffer).setUint32(thrift.length, thrift.length, true)
    end.set(MAGIC, thrift.length + 4)
    this.position += end.length
    return end
  }
}

function withRowGroups(footer: ThriftStruct, groups: readonly ThriftStruct[], rows: number): ThriftStruct {
  const changed = new Map(footer)
  changed.set(FILE.rows, { type: THRIFT.i64, value: BigInt(rows) })
  changed.set(FILE.rowGroups, { type: THRIFT.list, value: { type: THRIFT.struct, items: groups } })
  return changed
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
