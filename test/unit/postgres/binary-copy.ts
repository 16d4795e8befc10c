/** Builds what a server sends for COPY in binary format. */

const SIGNATURE = Buffer.from('5047434f50590aff0d0a00', 'hex')

export const int16 = (value: number) => {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

export const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

/** A row; null stands for SQL null. */
export function row(values: readonly (Buffer | null)[]): Buffer {
  return Buffer.concat([
    int16(values.length),
    ...values.flatMap((value) => (value === null ? [int32(-1)] : [int32(value.length), value])),
  ])
}

export const header = (extension: Buffer = Buffer.alloc(0), flags = 0) =>
  Buffer.concat([SIGNATURE, int32(flags), int32(extension.length), extension])

export const trailer = int16(-1)

export const copyData = (content: Buffer) => Buffer.concat([Buffer.from('d'), int32(content.length + 4), content])

/** All messages of a copy, the header with the first row as servers send it. */
export function copyMessages(rows: readonly Buffer[]): Buffer {
  const [first = trailer, ...rest] = [...rows, trailer]
  return Buffer.concat([copyData(Buffer.concat([header(), first])), ...rest.map(copyData)])
}

/** Binary numeric of `unscaled / 10^scale`, in the server's canonical form. */
export function numeric(unscaled: bigint, scale: number): Buffer {
  const text = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const whole = text.slice(0, text.length - scale)
  const fraction = text.slice(text.length - scale)
  const digits = [
    ...(whole.padStart(Math.ceil(whole.length / 4) * 4, '0').match(/.{4}/g) ?? []),
    ...(fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0').match(/.{4}/g) ?? []),
  ].map(Number)
  let weight = Math.ceil(whole.length / 4) - 1
  while (digits[0] === 0) {
    digits.shift()
    weight--
  }
  while (digits.at(-1) === 0) digits.pop()
  const sign = unscaled < 0n ? 0x4000 : 0
  return Buffer.concat([
    int16(digits.length),
    int16(digits.length === 0 ? 0 : weight),
    int16(sign),
    int16(scale),
    ...digits.map(int16),
  ])
}

/** NaN and the infinities. */
export const specialNumeric = (sign: 0xc000 | 0xd000 | 0xf000) =>
  Buffer.concat([int16(0), int16(0), int16(sign - 0x10000), int16(0)])
