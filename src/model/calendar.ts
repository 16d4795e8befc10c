// The proleptic Gregorian calendar over all years that databases know (4713 BC to 5874897 AD), far beyond JavaScript's Date. Dates are
// days, times are microseconds. Year 0 is 1 BC, as in ISO 8601.

export const MICROS_PER_DAY = 86_400_000_000
const BIG_MICROS_PER_DAY = BigInt(MICROS_PER_DAY)

const DAYS_PER_ERA = 146_097
/** From 0000-03-01 to 1970-01-01. */
const DAYS_BEFORE_1970 = 719_468

const leap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
const daysOfMonth = (year: number, month: number) =>
  month === 2 ? (leap(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31

/** Days since 1970-01-01. Counts years from March, so that the leap day comes last. */
export function daysOfDate(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_PER_ERA + dayOfEra - DAYS_BEFORE_1970
}

const pad = (value: number, digits: number) => value.toString().padStart(digits, '0')
const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => pad(value, 2))
const two = (value: number) => TWO_DIGITS[value]!

/**
 * Days since 1970-01-01 as `YYYY-MM-DD`. Years beyond 9999 and before 0 are in ISO 8601's expanded form with at least six digits
 * (`+012345-…`, `-000043-…` for 44 BC); 1 BC is `0000`.
 */
export function dateText(days: number): string {
  const shifted = days + DAYS_BEFORE_1970
  const era = Math.floor(shifted / DAYS_PER_ERA)
  const dayOfEra = shifted - era * DAYS_PER_ERA
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const yearText = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`
  return `${yearText}-${two(month)}-${two(day)}`
}

/** Microseconds since midnight as `HH:MM:SS[.ffffff]`. */
export function timeText(micros: bigint | number): string {
  const whole = Number(micros)
  const seconds = Math.floor(whole / 1_000_000)
  const fraction = whole % 1_000_000
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return fraction === 0 ? clock : `${clock}.${pad(fraction, 6).replace(/0+$/, '')}`
}

/** Microseconds since 1970-01-01 as ISO 8601, with a `Z` where the type has a zone. */
export function timestampText(micros: bigint, zone: boolean): string {
  const near = Number(micros)
  if (Number.isSafeInteger(near)) {
    const day = Math.floor(near / MICROS_PER_DAY)
    return `${dateText(day)}T${timeText(near - day * MICROS_PER_DAY)}${zone ? 'Z' : ''}`
  }
  const rest = micros % BIG_MICROS_PER_DAY
  const inDay = rest < 0n ? rest + BIG_MICROS_PER_DAY : rest
  return `${dateText(Number((micros - inDay) / BIG_MICROS_PER_DAY))}T${timeText(inDay)}${zone ? 'Z' : ''}`
}

const DATE = /^([+-]?\d{4,7})-(\d\d)-(\d\d)(?: (BC|AD))?$/
const TIME = /^(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?$/i
const TIMESTAMP =
  /^([+-]?\d{4,7}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?( BC| AD)?$/i

/** The days of `YYYY-MM-DD`, of ISO 8601's expanded years, and of years with a trailing ` BC`; `undefined` where there is no such day. */
export function parseDate(text: string): number | undefined {
  return text.length === 10 && isPlainDate(text) ? plainDate(text) : parseAnyDate(text)
}

/** Two digits as a number; not a number where one is something else. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

const HYPHEN = 45
const COLON = 58

const isPlainDate = (text: string) => text.charCodeAt(4) === HYPHEN && text.charCodeAt(7) === HYPHEN

/** The day that the first ten characters name. Not by a regular expression, which would take most of the time of building a batch. */
function plainDate(text: string): number | undefined {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  return validDate(year, month, day) ? daysOfDate(year, month, day) : undefined
}

const validDate = (year: number, month: number, day: number) =>
  !Number.isNaN(year) && month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month)

function parseAnyDate(text: string): number | undefined {
  const match = DATE.exec(text)
  if (match === null) return undefined
  const [, yearText, monthText, dayText, era] = match
  let year = Number(yearText)
  if (era === 'BC') {
    if (year < 1) return undefined
    year = 1 - year
  }
  const month = Number(monthText)
  const day = Number(dayText)
  return validDate(year, month, day) ? daysOfDate(year, month, day) : undefined
}

/** Microseconds, and whether digits beyond them were cut off. */
export interface ParsedMicros<T> {
  readonly micros: T
  readonly cut: boolean
}

/** Microseconds since midnight of `HH:MM[:SS[.f]]`, up to `24:00:00`. A zone is allowed and left aside. */
export function parseTime(text: string): ParsedMicros<number> | undefined {
  const match = TIME.exec(text)
  if (match === null) return undefined
  const [, hours, minutes, seconds = '0', fraction = ''] = match
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 59) return undefined
  const whole = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000
  const micros = whole + (fraction === '' ? 0 : Number(fraction.slice(0, 6).padEnd(6, '0')))
  if (micros > MICROS_PER_DAY) return undefined
  return { micros, cut: /[1-9]/.test(fraction.slice(6)) }
}

/**
 * Microseconds since 1970-01-01 of an ISO 8601 timestamp. With a zone: the instant, a text without an offset being taken as UTC. Without
 * a zone: the wall clock, and a text with another offset than UTC does not fit.
 */
export function parseTimestamp(text: string, zone: boolean): ParsedMicros<bigint> | undefined {
  return parsePlainTimestamp(text) ?? parseAnyTimestamp(text, zone)
}

/** `YYYY-MM-DDTHH:MM:SS[.f][Z]` with up to six digits of fraction; `undefined` for everything else. */
function parsePlainTimestamp(text: string): ParsedMicros<bigint> | undefined {
  const end = text.endsWith('Z') ? text.length - 1 : text.length
  if (end < 19 || end > 26 || end === 20 || !isPlainDate(text)) return undefined
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON || (text[10] !== 'T' && text[10] !== ' '))
    return undefined
  const days = plainDate(text)
  const hours = twoDigits(text, 11)
  const minutes = twoDigits(text, 14)
  const seconds = twoDigits(text, 17)
  if (days === undefined || !(hours <= 23 && minutes <= 59 && seconds <= 59)) return undefined
  let fraction = 0
  for (let i = 20; i < 26; i++) {
    const digit = i < end ? text.charCodeAt(i) - 48 : 0
    if (digit < 0 || digit > 9) return undefined
    fraction = fraction * 10 + digit
  }
  if (end > 19 && text[19] !== '.') return undefined
  const clock = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + fraction
  return { micros: BigInt(days) * BIG_MICROS_PER_DAY + BigInt(clock), cut: false }
}

function parseAnyTimestamp(text: string, zone: boolean): ParsedMicros<bigint> | undefined {
  const match = TIMESTAMP.exec(text)
  if (match === null) return undefined
  const [, date, time, offset = 'Z', era = ''] = match
  const days = parseDate(`${date}${era.toUpperCase()}`)
  const clock = parseTime(time!)
  const seconds = offsetSeconds(offset)
  if (days === undefined || clock === undefined || seconds === undefined) return undefined
  if (!zone && seconds !== 0) return undefined
  const micros = BigInt(days) * BIG_MICROS_PER_DAY + BigInt(clock.micros - seconds * 1_000_000)
  return BigInt.asIntN(64, micros) === micros ? { micros, cut: clock.cut } : undefined
}

function offsetSeconds(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0
  const [hours = 0, minutes = 0, seconds = 0] = (offset.slice(1).replaceAll(':', '').match(/\d\d/g) ?? []).map(Number)
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  return (offset[0] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds)
}
