const UNITS: { readonly [unit: string]: number } = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** A number of bytes, or a text like `'128MB'`; KB, MB and GB count in powers of 1,024. */
export type ByteSize = number | `${number}${'B' | 'KB' | 'MB' | 'GB'}`

/** The bytes that a size stands for; `undefined` where it is not one. */
export function parseByteSize(size: unknown): number | undefined {
  if (typeof size === 'number') return Number.isSafeInteger(size) && size >= 0 ? size : undefined
  if (typeof size !== 'string') return undefined
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([KMG]?B)$/i.exec(size.trim()) ?? []
  if (digits === undefined || unit === undefined) return undefined
  const bytes = Math.round(Number(digits) * UNITS[unit.toUpperCase()]!)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
