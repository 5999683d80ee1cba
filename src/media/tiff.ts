/** How large a TIFF is, and where the last of what it speaks of ends: directories, what they point to, pixels. */

/** Where the pixels are, and how many bytes of them: strips, tiles, and JPEG as TIFF 6.0 had it. */
const PIXELS: readonly (readonly [offsets: number, sizes: number])[] = [
  [273, 279],
  [324, 325],
  [513, 514],
]

/** Bytes of a value, by its type (TIFF 6.0, section 2; 13 and 16 to 18 are those of later supplements and BigTIFF). */
const SIZES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]

const WIDTH = 256
const HEIGHT = 257
const KEPT = new Set([WIDTH, HEIGHT, ...PIXELS.flat()])

export interface Tiff {
  /** In pixels, of the first picture. */
  readonly width: number | undefined
  readonly height: number | undefined
  /** Where the furthest byte ends that the directories name. */
  readonly end: number
}

/** Reads the directories, and decodes nothing. @throws {RangeError} where one of them runs over the end. */
export const readTiff = (bytes: Uint8Array): Tiff => {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = data.getUint8(0) === 0x49
  const big = data.getUint16(2, little) === 43
  const long = (at: number): number => (big ? Number(data.getBigUint64(at, little)) : data.getUint32(at, little))
  const number = (at: number, size: number): number =>
    size === 1
      ? data.getUint8(at)
      : size === 2
        ? data.getUint16(at, little)
        : size === 4
          ? data.getUint32(at, little)
          : Number(data.getBigUint64(at, little))
  const word = big ? 8 : 4
  const entrySize = 4 + 2 * word
  let end = 0

  /** The numbers of a directory's entry. */
  const valuesAt = (entry: number): number[] => {
    const size = SIZES[data.getUint16(entry + 2, little)] ?? 0
    const count = long(entry + 4)
    const place = size * count > word ? long(entry + 4 + word) : entry + 4 + word
    end = Math.max(end, place + size * count)
    const there = place + size * count <= bytes.length && size > 0
    return there ? Array.from({ length: count }, (_, index) => number(place + index * size, size)) : []
  }

  let size: Omit<Tiff, "end"> | undefined
  const seen = new Set<number>()
  for (let at = long(big ? 8 : 4); at !== 0 && !seen.has(at); ) {
    seen.add(at)
    const count = big ? long(at) : data.getUint16(at, little)
    const first = at + (big ? 8 : 2)
    const named = new Map<number, readonly number[]>()
    for (let entry = first; entry < first + count * entrySize; entry += entrySize) {
      const tag = data.getUint16(entry, little)
      const values = valuesAt(entry)
      if (KEPT.has(tag)) named.set(tag, values)
    }
    size ??= { width: named.get(WIDTH)?.[0], height: named.get(HEIGHT)?.[0] }
    for (const [offsets, sizes] of PIXELS) {
      const lengths = named.get(sizes) ?? []
      for (const [index, offset] of (named.get(offsets) ?? []).entries()) {
        end = Math.max(end, offset + (lengths[index] ?? 0))
      }
    }
    at = long(first + count * entrySize)
  }
  return { width: size?.width, height: size?.height, end }
}
