/** The Decimal128 of four little-endian words that begin at an index, as digits. */
export function decimalText(words: Uint32Array, scale: number, at = 0): string {
  const value = decimalUnscaled(words, at)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${text}` : text
}

function decimalUnscaled(words: Uint32Array, at: number): bigint {
  const low = words[at]! + words[at + 1]! * 4_294_967_296
  const sign = words[at + 1]! >>> 31 === 1 ? 0xffff_ffff : 0
  if (words[at + 2] === sign && words[at + 3] === sign) {
    return sign === 0 && low <= Number.MAX_SAFE_INTEGER
      ? BigInt(low)
      : BigInt.asIntN(64, (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!))
  }
  let value = 0n
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[at + i]!)
  return BigInt.asIntN(128, value)
}

/** Writes an unscaled value as four little-endian words. */
export function writeDecimal(words: Uint32Array, at: number, value: bigint | number): void {
  if (typeof value === 'number') {
    // Safe integers only; two's complement without a bigint.
    const high = Math.floor(value / 4_294_967_296)
    words[at] = value - high * 4_294_967_296
    words[at + 1] = high
    words[at + 2] = words[at + 3] = value < 0 ? 0xffff_ffff : 0
    return
  }
  for (let i = 0; i < 4; i++) {
    words[at + i] = Number(BigInt.asUintN(32, value))
    value >>= 32n
  }
}

const PLAIN = /^-?\d+(?:\.\d+)?$/
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/

/** Longest text that an exponent is expanded to: more than PostgreSQL's numeric can hold, and no way to fill the memory. */
const MAX_DIGITS = 150_000

/** A number's text without exponent, plus sign or bare point, all digits kept; `undefined` where it is not a finite number. */
export function plainDecimal(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match
  if (whole === '' && fraction === '') return undefined
  const exponent = Number(exponentText)
  if (whole.length + fraction.length + Math.abs(exponent) > MAX_DIGITS) return undefined
  const digits = whole + fraction
  const point = whole.length + exponent
  const wholePart = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0')
  const fractionPart = point < 0 ? '0'.repeat(-point) + digits : digits.slice(point)
  const minus = sign === '-' ? '-' : ''
  const trimmed = wholePart.replace(/^0+(?=\d)/, '')
  return fractionPart === '' ? `${minus}${trimmed}` : `${minus}${trimmed}.${fractionPart}`
}

/** The same for a text of few digits in its plainest form, many times faster; `undefined` for everything else, which may still fit. */
export function smallUnscaled(text: string, precision: number, scale: number): number | undefined {
  const { length } = text
  const negative = text.charCodeAt(0) === 45
  const start = negative ? 1 : 0
  let value = 0
  let fraction = -1
  for (let i = start; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit
      if (fraction >= 0) fraction++
    } else if (digit === -2 && fraction < 0 && i > start) fraction = 0
    else return undefined
  }
  const missing = scale - Math.max(fraction, 0)
  if (length === start || fraction === 0 || missing < 0 || length + missing > 15) return undefined
  value *= 10 ** missing
  if (value >= 10 ** precision) return undefined
  return negative ? 0 - value : value
}

/**
 * The unscaled value of a plain decimal text at a scale; `undefined` where digits would be lost or the precision does not hold it. A number
 * where that is exact, as it is much cheaper.
 */
export function unscaled(plain: string, precision: number, scale: number): bigint | number | undefined {
  const point = plain.indexOf('.')
  let whole = point < 0 ? plain : plain.slice(0, point)
  let fraction = point < 0 ? '' : plain.slice(point + 1)
  if (fraction.length > scale) {
    if (/[1-9]/.test(fraction.slice(scale))) return undefined
    fraction = fraction.slice(0, scale)
  }
  fraction = fraction.padEnd(scale, '0')
  const digits = whole + fraction
  if (digits.length <= 15) {
    const value = Number(digits)
    return Math.abs(value) < 10 ** precision ? value + 0 : undefined
  }
  const negative = whole[0] === '-'
  whole = (negative ? whole.slice(1) : whole).replace(/^0+/, '')
  if (whole.length > precision - scale) return undefined
  const value = BigInt(whole + fraction || '0')
  return negative ? -value : value
}
