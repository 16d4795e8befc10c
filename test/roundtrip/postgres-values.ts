import fc from 'fast-check'

/** One column of the round trip: values of one type, as the text that PostgreSQL reads, and what a record must hold for what PostgreSQL prints. */
export interface TypeCase {
  /** As in CREATE TABLE. */
  readonly type: string
  readonly values: fc.Arbitrary<string>
  /** Always among the values. */
  readonly edges?: readonly string[]
  /** How a value is made of its text; left out: a cast. */
  readonly sql?: (text: string) => string
  /** What a record holds, from `format('%s', value)` with the session settings of a reading. `UNFIT`: null with a reason. */
  readonly expected: (printed: string) => unknown
  /** How the server prints it, where its output function does not print all. */
  readonly print?: (column: string) => string
  /** Major version of the server that has it first. */
  readonly since?: number
}

export const UNFIT = Symbol('null with a reason')

const same = (printed: string) => printed
const unless = (unfit: RegExp, read: (printed: string) => unknown) => (printed: string) =>
  unfit.test(printed) ? UNFIT : read(printed)

/** Digits of a numeric(precision, scale); many values are short, some fill the precision, some end in zeros. */
const decimals = (precision: number, scale: number) =>
  fc
    .tuple(
      fc
        .integer({ min: 1, max: precision })
        .chain((digits) => fc.bigInt({ min: -(10n ** BigInt(digits) - 1n), max: 10n ** BigInt(digits) - 1n })),
      fc.integer({ min: 0, max: precision }),
    )
    .map(([value, zeros]) => `${(value / 10n ** BigInt(zeros)) * 10n ** BigInt(zeros)}e${-scale}`)

const integers = (bits: bigint) => fc.bigInt({ min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n }).map(String)
const integerEdges = (bits: bigint) => [`${-(2n ** (bits - 1n))}`, `${2n ** (bits - 1n) - 1n}`, '0', '-1']

// All of Unicode but what PostgreSQL refuses.
const texts = fc.string({ unit: 'binary', maxLength: 80 }).map((text) => text.replaceAll('\0', ''))
const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019 _-'), maxLength: 5 })

const days = fc.oneof(fc.integer({ min: -2_451_545, max: 2_145_031_948 }), fc.integer({ min: -800_000, max: 40_000 }))
const clock = fc.integer({ min: 0, max: 86_399_999_999 }).map((micros) => {
  const part = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0')
  const seconds = Math.floor(micros / 1e6)
  return `${part(seconds / 3600)}:${part((seconds / 60) % 60)}:${part(seconds % 60)}.${part(micros % 1e6, 6)}`
})
const moments = (most: number) =>
  fc
    .tuple(fc.oneof(fc.integer({ min: -2_451_545, max: most }), fc.integer({ min: -20_000, max: 20_000 })), clock)
    .map(([day, time]) => `${day} days ${time}`)
const since2000 = (type: string) => (text: string) =>
  `CASE WHEN ${text} ~ 'days' THEN ${type} '2000-01-01' + ${text}::interval ELSE ${text}::${type} END`

/** `44-03-15 BC`, `12345-01-01`: as ISO 8601 has it. */
function isoDate(printed: string): string {
  const [, year = '', rest = ''] = /^(\d+)(-\d\d-\d\d)/.exec(printed)!
  const astronomical = printed.endsWith('BC') ? 1 - Number(year) : Number(year)
  if (astronomical >= 0 && astronomical <= 9999) return `${String(astronomical).padStart(4, '0')}${rest}`
  return `${astronomical < 0 ? '-' : '+'}${String(Math.abs(astronomical)).padStart(6, '0')}${rest}`
}

function isoMoment(zone: 'Z' | ''): (printed: string) => string {
  return (printed) => {
    const [date = '', time = '', era = ''] = printed.split(' ')
    return `${isoDate(`${date} ${era}`.trim())}T${time.replace(/\+00$/, '')}${zone}`
  }
}

// Arrow's microseconds end in January 294247; PostgreSQL's last year is 294276.
const BEYOND = /infinity|^2942(4[89]|[5-7]\d)|^294247-(?!01-0[1-9])/

const hex = (size: number) =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => Buffer.from(bytes).toString('hex'))
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)
const points = fc.tuple(numbers, numbers).map(([x, y]) => `(${x},${y})`)
const bits = fc.string({ unit: fc.constantFrom('0', '1'), minLength: 8, maxLength: 8 })
const addresses = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, size]) => `${address}/${size}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, size]) => `${address}/${size}`),
)
const words = fc.array(fc.string({ unit: fc.constantFrom(...'abcdefgh'), minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 5,
})
const between = <T>(values: fc.Arbitrary<T>, order: (a: T, b: T) => number) =>
  fc.tuple(values, values, fc.constantFrom('[]', '[)', '(]', '()')).map(([a, b, [open, close] = '']) => {
    const [low, high] = order(a, b) <= 0 ? [a, b] : [b, a]
    return `${open}${low},${high}${close}`
  })
const intRange = between(fc.integer({ min: -1e6, max: 1e6 }), (a, b) => a - b)

/**
 * Leaves of a JSON text as strings, numbers by their digits; of an array literal too. Comparing both tells whether the text of an array holds what the
 * array does.
 */
export function jsonLeaves(text: string, scalar: (leaf: string) => string = same): unknown {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  )
  const leaves = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(leaves)
      : value === null
        ? null
        : scalar(typeof value === 'boolean' ? String(value)[0]! : String(value))
  return leaves(JSON.parse(quoted))
}

export function arrayLeaves(literal: string): unknown {
  // Bounds that do not begin with 1 are printed in front, and are not kept.
  const text = literal.replace(/^(\[-?\d+:-?\d+\])+=/, '')
  let at = 0
  const list = (): unknown[] => {
    const items: unknown[] = []
    at++
    while (text[at] !== '}') {
      if (text[at] === ',') at++
      else items.push(text[at] === '{' ? list() : leaf())
    }
    at++
    return items
  }
  const leaf = (): string | null => {
    const [token] = /^(?:"(?:[^"\\]|\\[\s\S])*"|[^,}]+)/.exec(text.slice(at))!
    at += token.length
    return token.startsWith('"') ? token.slice(1, -1).replace(/\\([\s\S])/g, '$1') : token === 'NULL' ? null : token
  }
  return list()
}

export class Leaves {
  constructor(readonly leaves: unknown) {}
}
const asArray = (printed: string) => new Leaves(arrayLeaves(printed))

const arrayItem = (item: string | null) => (item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`)
/** One to three dimensions, rectangular, with nulls, sometimes empty. */
const arrays = (items: fc.Arbitrary<string>) =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }).chain((sizes) => {
    const level = (depth: number): fc.Arbitrary<string> =>
      fc
        .array(depth === sizes.length - 1 ? fc.option(items).map(arrayItem) : level(depth + 1), {
          minLength: sizes[depth]!,
          maxLength: sizes[depth]!,
        })
        .map((inner) => `{${inner.join(',')}}`)
    return level(0)
  })

const numericCase = (precision: number, scale: number, edges: readonly string[] = []): TypeCase => ({
  type: `numeric(${precision},${scale})`,
  values: decimals(precision, scale),
  edges: [
    '0',
    'NaN',
    `${10n ** BigInt(precision) - 1n}e${-scale}`,
    `-${10n ** BigInt(precision) - 1n}e${-scale}`,
    ...edges,
  ],
  expected: precision > 38 ? same : unless(/NaN/, same),
})

export const TYPE_CASES: readonly TypeCase[] = [
  { type: 'boolean', values: fc.boolean().map(String), expected: (printed) => printed === 't' },
  { type: 'smallint', values: integers(16n), edges: integerEdges(16n), expected: Number },
  { type: 'integer', values: integers(32n), edges: integerEdges(32n), expected: Number },
  { type: 'bigint', values: integers(64n), edges: [...integerEdges(64n), '9007199254740993'], expected: BigInt },
  {
    type: 'oid',
    values: fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map(String),
    edges: ['4294967295'],
    expected: BigInt,
  },
  {
    type: 'real',
    values: fc.float().map(String),
    edges: ['NaN', '-0', '1e-45', '-Infinity'],
    expected: (printed) => Math.fround(Number(printed)),
  },
  {
    type: 'double precision',
    values: fc.double().map(String),
    edges: ['NaN', '-0', '5e-324', 'Infinity'],
    expected: Number,
  },
  ...(
    [
      [15, 2],
      [1, 0],
      [9, 9],
      [16, 0],
      [19, 4],
      [38, 0],
      [38, 10],
      [38, 38],
      [39, 2],
      [1000, 500],
    ] as const
  ).map(([precision, scale]) => numericCase(precision, scale)),
  // Scale beyond the precision, and negative.
  { type: 'numeric(3,5)', values: decimals(3, 5), edges: ['NaN', '0.00999'], expected: unless(/NaN/, same), since: 15 },
  {
    type: 'numeric(6,-3)',
    values: decimals(8, 0),
    edges: ['NaN', '123456500'],
    expected: unless(/NaN/, same),
    since: 15,
  },
  { type: 'numeric(37,-3)', values: decimals(39, 0), expected: same, since: 15 },
  {
    type: 'numeric',
    values: fc
      .tuple(fc.bigInt(), fc.integer({ min: -400, max: 400 }))
      .map(([value, exponent]) => `${value}e${exponent}`),
    edges: ['NaN', 'Infinity', '-Infinity', '1.500', '1e131071', '1e-16383'],
    expected: same,
  },
  {
    type: 'money',
    values: integers(64n),
    edges: integerEdges(64n),
    sql: (text) => `'0.01'::money * 0 + (${text}::numeric / 100)::money`,
    print: (column) => `${column}::numeric`,
    expected: (printed) => `${printed}00`,
  },
  { type: 'text', values: texts, edges: ['', ' ', '\u0001', 'e\u0301', '😀', 'null'], expected: same },
  { type: 'varchar(200)', values: texts, expected: same },
  { type: 'char(6)', values: ascii, edges: ['', 'ä'], expected: same },
  { type: '"char"', values: fc.constantFrom('a', '', '\\377', '\\200', '~'), expected: same },
  { type: 'name', values: ascii, expected: same },
  { type: 'citext', values: texts, expected: same },
  {
    type: 'bytea',
    values: fc.uint8Array({ maxLength: 300 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
    edges: ['\\x', '\\x00'],
    expected: (printed) => Uint8Array.from(Buffer.from(printed.slice(2), 'hex')),
  },
  {
    type: 'date',
    values: days.map(String),
    edges: ['infinity', '-infinity', '4714-11-24 BC', '5874897-12-31', '0044-03-15 BC', '0001-12-31 BC', '2000-02-29'],
    sql: (text) => `CASE WHEN ${text} ~ '^-?[0-9]+$' THEN date '2000-01-01' + ${text}::int ELSE ${text}::date END`,
    expected: unless(/infinity/, isoDate),
  },
  {
    type: 'time',
    values: clock,
    edges: ['24:00:00', '00:00:00', '23:59:59.999999'],
    expected: unless(/^24/, same),
  },
  {
    type: 'timetz',
    values: fc
      .tuple(clock, fc.integer({ min: -15, max: 15 }))
      .map(([time, zone]) => `${time}${zone < 0 ? zone : `+${zone}`}`),
    edges: ['24:00:00-15:59:59', '00:00:00+05:30'],
    expected: same,
  },
  {
    type: 'timestamp',
    values: moments(106_751_982),
    edges: [
      'infinity',
      '-infinity',
      '4714-11-24 00:00:00 BC',
      '294276-12-31 23:59:59.999999',
      '0044-03-15 12:00:00.000001 BC',
      '294247-01-01',
    ],
    sql: since2000('timestamp'),
    expected: unless(BEYOND, isoMoment('')),
  },
  {
    type: 'timestamptz',
    values: moments(106_751_982),
    edges: [
      'infinity',
      '-infinity',
      '2026-10-25 02:30:00+02',
      '294276-12-31 23:59:59.999999+00',
      '0044-03-15 12:00:00.000001+00 BC',
    ],
    sql: since2000('timestamptz'),
    expected: unless(BEYOND, isoMoment('Z')),
  },
  {
    type: 'interval',
    values: fc
      .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer(), fc.integer(), fc.nat({ max: 999_999 }))
      .map(([months, day, seconds, micros]) => `${months} months ${day} days ${seconds}.${micros} seconds`),
    edges: ['0', '-1 month 2 days -3.000001 seconds'],
    expected: same,
  },
  {
    type: 'uuid',
    values: fc.uuid(),
    edges: ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    expected: same,
  },
  {
    type: 'json',
    values: fc.json(),
    edges: ['null', ' {"a":1,"a":12345678901234567890.10} ', '"\\u0000"'],
    expected: same,
  },
  {
    type: 'jsonb',
    values: fc.json().map((text) => text.replaceAll('\\u0000', '').replace(/\\ud[89a-f][0-9a-f]{2}/gi, '')),
    edges: ['null', '12345678901234567890.10', '{"b":1,"a":[null]}'],
    expected: same,
  },
  {
    type: 'xml',
    values: ascii.map((text) => `<a b="${text}">${text}</a>`),
    edges: ['<?xml version="1.0"?><a/>', ''],
    expected: same,
  },
  { type: 'bit(8)', values: bits, expected: same },
  { type: 'varbit', values: fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 70 }), expected: same },
  { type: 'inet', values: addresses, edges: ['192.168.0.1', '::1'], expected: same },
  { type: 'cidr', values: fc.ipV4(), edges: ['10.0.0.0/8', '2001:db8::/32'], expected: same },
  { type: 'macaddr', values: hex(6), expected: same },
  { type: 'macaddr8', values: hex(8), expected: same },
  { type: 'point', values: points, edges: ['(NaN,Infinity)'], expected: same },
  {
    type: 'line',
    values: fc.tuple(fc.integer({ min: 1 }), numbers, numbers).map(([a, b, c]) => `{${a},${b},${c}}`),
    expected: same,
  },
  { type: 'lseg', values: fc.tuple(points, points).map(([a, b]) => `[${a},${b}]`), expected: same },
  { type: 'box', values: fc.tuple(points, points).map(([a, b]) => `${a},${b}`), expected: same },
  { type: 'path', values: fc.array(points, { minLength: 1, maxLength: 4 }).map((all) => `[${all}]`), expected: same },
  {
    type: 'polygon',
    values: fc.array(points, { minLength: 1, maxLength: 4 }).map((all) => `(${all})`),
    expected: same,
  },
  {
    type: 'circle',
    values: fc.tuple(points, fc.nat()).map(([center, radius]) => `<${center},${radius}>`),
    expected: same,
  },
  {
    type: 'tsvector',
    values: words.map((all) => all.map((word, index) => `${word}:${index + 1}A`).join(' ')),
    expected: same,
  },
  { type: 'tsquery', values: words.map((all) => all.join(' & ')), expected: same },
  { type: 'int4range', values: intRange, edges: ['empty', '(,)'], expected: same },
  { type: 'numrange', values: between(fc.bigInt(), (a, b) => (a < b ? -1 : 1)), edges: ['[1.500,)'], expected: same },
  { type: 'tstzrange', values: fc.constantFrom('[2020-01-01,2021-01-01)', '[,infinity]', 'empty'), expected: same },
  {
    type: 'daterange',
    values: fc.constantFrom('[2020-01-01,2021-01-01)', '["0044-03-15 BC",infinity)'),
    expected: same,
  },
  { type: 'int4multirange', values: fc.array(intRange, { maxLength: 4 }).map((all) => `{${all}}`), expected: same },
  {
    type: 'pg_lsn',
    values: fc.tuple(fc.nat(), fc.nat()).map(([high, low]) => `${high.toString(16)}/${low.toString(16)}`),
    expected: same,
  },
  { type: 'xid', values: fc.nat().map(String), expected: same },
  { type: 'xid8', values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), expected: same },
  {
    type: 'tid',
    values: fc.tuple(fc.nat(), fc.nat({ max: 65_535 })).map(([page, item]) => `(${page},${item})`),
    expected: same,
  },
  { type: 'regclass', values: fc.constantFrom('pg_class', 'information_schema.tables'), expected: same },
  { type: 'regtype', values: fc.constantFrom('integer', 'text[]'), expected: same },
  { type: 'jsonpath', values: fc.constantFrom('$.a[*] ? (@ > 1)', '$'), expected: same },
  { type: 'pg_snapshot', values: fc.constantFrom('10:20:10,14,15', '1:1:'), expected: same },
  {
    type: 'int2vector',
    values: fc.array(fc.integer({ min: -32768, max: 32767 }), { maxLength: 5 }).map((all) => all.join(' ')),
    expected: (printed) => new Leaves(printed === '' ? [] : printed.split(' ')),
  },
  {
    type: 'hstore',
    values: fc.dictionary(ascii, fc.option(ascii), { noNullPrototype: true, maxKeys: 4 }).map((pairs) =>
      Object.entries(pairs)
        .map(([key, value]) => `"${key}"=>${value === null ? 'NULL' : `"${value}"`}`)
        .join(','),
    ),
    print: (column) => `hstore_to_json(${column})`,
    expected: same,
  },
  { type: 'mood', values: fc.constantFrom('happy', 'so so', "it's ☹"), expected: same },
  { type: 'positive_amount', values: decimals(12, 3).map((text) => text.replace(/^-/, '')), expected: same },
  { type: 'nested_domain', values: decimals(12, 3).map((text) => text.replace(/^-/, '')), expected: same },
  { type: 'mood_domain', values: fc.constantFrom('happy', 'so so'), expected: same },
  {
    type: 'date_domain',
    values: fc.constantFrom('2020-02-29', 'infinity', '0044-03-15 BC'),
    expected: unless(/infinity/, isoDate),
  },
  { type: 'list_domain', values: arrays(integers(32n)), expected: asArray },
  { type: 'unheard_of', values: ascii, edges: [''], expected: same },
  {
    type: 'bigint[]',
    values: arrays(integers(64n)),
    edges: ['{}', '[5:6]={1,2}', '[-1:0][2:2]={{9007199254740993},{NULL}}'],
    expected: asArray,
  },
  {
    type: 'numeric[]',
    values: arrays(
      fc.tuple(fc.bigInt(), fc.integer({ min: -60, max: 30 })).map(([value, exponent]) => `${value}e${exponent}`),
    ),
    edges: ['{NaN,Infinity,1.500}'],
    expected: asArray,
  },
  { type: 'numeric(30,10)[]', values: arrays(decimals(30, 10)), edges: ['{NaN}'], expected: asArray },
  {
    type: 'double precision[]',
    values: arrays(fc.double().map(String)),
    edges: ['{NaN,-Infinity,1e300,5e-324,0.1,-0}'],
    expected: asArray,
  },
  { type: 'text[]', values: arrays(texts), edges: ['{}', '{"",NULL,"NULL","{}","\\\\","\\""}'], expected: asArray },
  { type: 'boolean[]', values: arrays(fc.boolean().map(String)), expected: asArray },
  { type: 'uuid[]', values: arrays(fc.uuid()), expected: asArray },
  { type: 'bytea[]', values: arrays(hex(5).map((text) => `\\x${text}`)), expected: asArray },
  { type: 'inet[]', values: arrays(addresses), edges: ['{192.168.0.1}'], expected: asArray },
  { type: 'mood[]', values: arrays(fc.constantFrom('happy', 'so so')), expected: asArray },
  { type: 'int4range[]', values: arrays(intRange), expected: asArray },
  { type: 'interval[]', values: arrays(fc.constantFrom('1 day', '-3.5 seconds')), expected: asArray },
]
