const WORD = 2 ** 32
const NEGATIVE = 0x4000
const POWER_OF_TEN = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

/**
 * Writes a binary numeric as a Decimal128 of four little-endian words, which must be zero before. False where the decimal cannot hold it: NaN, infinite, more
 * digits behind the point than `scale`, or beyond 128 bits.
 *
 * On the wire: number of digits, weight of the first, sign, display scale (16 bits each), then base-10000 digits without zeros at either end.
 */
export function writeNumeric(
  view: DataView,
  position: number,
  precision: number,
  scale: number,
  words: Int32Array,
  at: number,
): boolean {
  const digits = view.getInt16(position)
  const weight = view.getInt16(position + 2)
  const sign = view.getUint16(position + 4)
  if (sign > NEGATIVE) return false
  if (digits === 0) return true
  // All digits together are a whole number; times ten to this it is the unscaled value.
  const shift = scale - 4 * (digits - 1 - weight)
  if (shift < -3) return false
  if (shift > 15 || (precision > 15 && 4 * (weight + 1) + scale > 15))
    return writeWide(view, position, shift, words, at)

  // Up to 15 digits every step is exact in a double.
  let value = 0
  let next = position + 8
  for (const last = next + 2 * digits - 2; next < last; next += 2) value = value * 10_000 + view.getInt16(next)
  const digit = view.getInt16(next)
  if (shift < 0) {
    const kept = digit / POWER_OF_TEN[-shift]!
    if (kept !== Math.floor(kept)) return false
    value = value * POWER_OF_TEN[4 + shift]! + kept
  } else {
    value = (value * 10_000 + digit) * POWER_OF_TEN[shift]!
  }
  if (sign === NEGATIVE) {
    value = -value
    words[at + 2] = -1
    words[at + 3] = -1
  }
  words[at] = value
  words[at + 1] = Math.floor(value / WORD)
  return true
}

function writeWide(view: DataView, position: number, shift: number, words: Int32Array, at: number): boolean {
  const digits = view.getInt16(position)
  const steps = digits + (shift > 0 ? Math.ceil(shift / 4) : 0)
  let w0 = 0
  let w1 = 0
  let w2 = 0
  let w3 = 0
  for (let step = 0; step < steps; step++) {
    let factor = 10_000
    let addend = 0
    if (step < digits) {
      addend = view.getInt16(position + 8 + 2 * step)
      if (step === digits - 1 && shift < 0) {
        addend /= POWER_OF_TEN[-shift]!
        if (addend !== Math.floor(addend)) return false
        factor = POWER_OF_TEN[4 + shift]!
      }
    } else if (step === steps - 1 && shift % 4 !== 0) {
      factor = POWER_OF_TEN[shift % 4]!
    }
    w0 = w0 * factor + addend
    let carry = Math.floor(w0 / WORD)
    w0 -= carry * WORD
    w1 = w1 * factor + carry
    carry = Math.floor(w1 / WORD)
    w1 -= carry * WORD
    w2 = w2 * factor + carry
    carry = Math.floor(w2 / WORD)
    w2 -= carry * WORD
    w3 = w3 * factor + carry
    if (w3 >= WORD / 2) return false
  }
  if (view.getUint16(position + 4) === NEGATIVE) {
    w0 = WORD - w0
    w1 = WORD - 1 - w1
    w2 = WORD - 1 - w2
    w3 = WORD - 1 - w3
    if (w0 === WORD) w1 += 1
    if (w0 === WORD && w1 === WORD) w2 += 1
    if (w0 === WORD && w1 === WORD && w2 === WORD) w3 += 1
  }
  words[at] = w0
  words[at + 1] = w1
  words[at + 2] = w2
  words[at + 3] = w3
  return true
}
