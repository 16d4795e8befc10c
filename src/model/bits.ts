/** Bit `index` of a bitmap in Arrow's order (least significant first). */
export const bitAt = (bitmap: Uint8Array, index: number): boolean => (bitmap[index >> 3]! & (1 << (index & 7))) !== 0

/** Copies bits onto bits that are all zero. */
export function copyBits(target: Uint8Array, at: number, source: Uint8Array, from: number, length: number): void {
  if ((at & 7) === 0 && (from & 7) === 0) {
    const bytes = length >> 3
    target.set(source.subarray(from >> 3, (from >> 3) + bytes), at >> 3)
    for (let i = bytes * 8; i < length; i++) if (bitAt(source, from + i)) setBit(target, at + i)
    return
  }
  for (let i = 0; i < length; i++) if (bitAt(source, from + i)) setBit(target, at + i)
}

export function setBits(target: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) setBit(target, at + i)
}

export function setBit(target: Uint8Array, index: number): void {
  target[index >> 3]! |= 1 << (index & 7)
}

export const newBitmap = (bits: number) => new Uint8Array((bits + 7) >> 3)
