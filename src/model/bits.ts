/** Bitmaps, as columns have them: one bit a row, least significant first. */
export const bitmapBytes = (rows: number): number => (rows + 7) >>> 3

export const isSet = (bits: Uint8Array, index: number): boolean =>
  (((bits[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1

export const setBit = (bits: Uint8Array, index: number): void => {
  bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (1 << (index & 7))
}

/** `count` bits from `start` on, to the place `at`. The bits there must be 0. */
export const copyBits = (from: Uint8Array, start: number, count: number, to: Uint8Array, at: number): void => {
  if (((start | at) & 7) === 0) {
    const whole = count >>> 3
    to.set(from.subarray(start >>> 3, (start >>> 3) + whole), at >>> 3)
    for (let i = whole << 3; i < count; i++) if (isSet(from, start + i)) setBit(to, at + i)
    return
  }
  for (let i = 0; i < count; i++) if (isSet(from, start + i)) setBit(to, at + i)
}
