/** How a value looks in PostgreSQL's binary format, as small integers that the decoder's loop switches on. */
export const WIRE = {
  /** UTF-8, copied as it is. */
  text: 0,
  /** Copied as it is. */
  bytes: 1,
  /** A byte for the version, then UTF-8. */
  jsonb: 2,
  uuid: 3,
  boolean: 4,
  word16: 5,
  word32: 6,
  /** 32 bits, unsigned; becomes 64. */
  unsigned32: 7,
  word64: 8,
  /** Days since 2000-01-01. */
  date: 9,
  /** Microseconds since midnight. */
  time: 10,
  /** Microseconds since 2000-01-01. */
  timestamp: 11,
  /** Base-10000 digits. */
  decimal: 12,
} as const

export type Wire = (typeof WIRE)[keyof typeof WIRE]

/** 32-bit words that a value takes in the column; 0 for those of variable length, bits and halves. */
export function wordsOf(wire: Wire): number {
  switch (wire) {
    case WIRE.word32:
    case WIRE.date:
      return 1
    case WIRE.unsigned32:
    case WIRE.word64:
    case WIRE.time:
    case WIRE.timestamp:
      return 2
    case WIRE.decimal:
      return 4
    default:
      return 0
  }
}

/** Whether the column is a buffer of bytes with offsets. */
export function isVariable(wire: Wire): boolean {
  return wire <= WIRE.uuid
}
