/**
 * Values in PLAIN encoding, nulls left out (https://parquet.apache.org/docs/file-format/data-pages/encodings/#PLAIN).
 * It is nearly how a column lies in memory, so that most of this is no more than a view.
 */
import { type Column, isNull } from "../model/column.ts"
import { layoutOf } from "../model/types.ts"

/** Rows `start` to `end` (exclusive). */
export type Range = readonly [start: number, end: number]

/** The runs of rows that are not null. */
export const presentRows = (column: Column): readonly Range[] => {
  const { valid, length } = column
  if (!valid) return length > 0 ? [[0, length]] : []
  const ranges: Range[] = []
  let start = -1
  for (let row = 0; row <= length; row++) {
    const present = row < length && !isNull(column, row)
    if (present && start < 0) start = row
    if (!present && start >= 0) {
      ranges.push([start, row])
      start = -1
    }
  }
  return ranges
}

export const countRows = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, [start, end]) => sum + end - start, 0)

const viewOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Numbers, or the floats of vectors and lists. */
const plainNumbers = ({ values, offsets, type }: Column, ranges: readonly Range[]): readonly Uint8Array[] => {
  const width = type.size ?? 1
  const position = (row: number): number => (offsets ? (offsets[row] ?? 0) : row * width)
  return ranges.map(([start, end]) => viewOf(values.subarray(position(start), position(end))))
}

/** Up to so many bytes are copied faster one by one than by a view and `set`. */
const FEW_BYTES = 24

/** Each value after its length. */
const plainBytes = ({ values, offsets }: Column, ranges: readonly Range[]): readonly Uint8Array[] => {
  if (!offsets) throw new TypeError("a column of bytes has offsets")
  const from = values as Uint8Array
  let size = 0
  for (const [start, end] of ranges) size += (end - start) * 4 + (offsets[end] ?? 0) - (offsets[start] ?? 0)
  const out = new Uint8Array(size)
  const view = new DataView(out.buffer)
  let at = 0
  for (const [start, end] of ranges) {
    let first = offsets[start] ?? 0
    for (let row = start; row < end; row++) {
      const last = offsets[row + 1] ?? 0
      view.setUint32(at, last - first, true)
      at += 4
      if (last - first > FEW_BYTES) out.set(from.subarray(first, last), at)
      else for (let i = first; i < last; i++) out[at + i - first] = from[i] ?? 0
      at += last - first
      first = last
    }
  }
  return [out]
}

/** One bit a row. */
const plainBits = ({ values, length, valid }: Column, ranges: readonly Range[]): readonly Uint8Array[] => {
  const bits = values as Uint8Array
  if (!valid) return [bits.subarray(0, (length + 7) >>> 3)]
  const out = new Uint8Array((countRows(ranges) + 7) >>> 3)
  let at = 0
  for (const [start, end] of ranges) {
    for (let row = start; row < end; row++, at++) {
      const bit = ((bits[row >>> 3] ?? 0) >>> (row & 7)) & 1
      out[at >>> 3] = (out[at >>> 3] ?? 0) | (bit << (at & 7))
    }
  }
  return [out]
}

/** The values of the given rows, as parts that belong one after the other. */
export const plainValues = (column: Column, ranges: readonly Range[]): readonly Uint8Array[] => {
  switch (layoutOf(column.type)) {
    case "utf8":
    case "bytes":
      return plainBytes(column, ranges)
    case "bits":
      return plainBits(column, ranges)
    default:
      return plainNumbers(column, ranges)
  }
}
