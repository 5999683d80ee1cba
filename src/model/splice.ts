/** Rows cut out of columns, and columns put together. */
import { bitmapBytes, copyBits, setBit } from "./bits.ts"
import { type Column, NEW_VALUES, newColumn, type Values } from "./column.ts"
import { layoutOf } from "./types.ts"

/** Typed arrays of one kind only meet their own kind here; TypeScript cannot see that through the union. */
const copyValues = (from: Values, to: Values, at: number): void => (to as Uint8Array).set(from as Uint8Array, at)

/** Rows `start` to `end` (exclusive). Shares memory with `from` where the layout allows. */
export const sliceColumn = (from: Column, start: number, end: number): Column => {
  const rows = end - start
  const layout = layoutOf(from.type)
  const bits = (source: Uint8Array): Uint8Array => {
    const target = new Uint8Array(bitmapBytes(rows))
    copyBits(source, start, rows, target, 0)
    return target
  }
  const valid = from.valid && bits(from.valid)
  if (layout === "bits") return newColumn(from.type, rows, bits(from.values as Uint8Array), undefined, valid)
  if (from.offsets) {
    const first = from.offsets[start] ?? 0
    const offsets = from.offsets.slice(start, end + 1)
    if (first > 0) for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] ?? 0) - first
    return newColumn(from.type, rows, from.values.subarray(first, first + (offsets[rows] ?? 0)), offsets, valid)
  }
  const width = layout === "vector" ? (from.type.size ?? 1) : 1
  return newColumn(from.type, rows, from.values.subarray(start * width, end * width), undefined, valid)
}

/** The rows of all columns, one after the other. All have the first one's type. */
export const concatColumns = (columns: readonly Column[]): Column => {
  const [first] = columns
  if (!first) throw new RangeError("concatColumns needs a column")
  if (columns.length === 1) return first
  const layout = layoutOf(first.type)
  let rows = 0
  let size = 0
  for (const part of columns) {
    rows += part.length
    size += part.offsets ? (part.offsets[part.length] ?? 0) : part.values.length
  }
  const values = NEW_VALUES[layout](layout === "bits" ? bitmapBytes(rows) : size)
  const offsets = first.offsets ? new Int32Array(rows + 1) : undefined
  const valid = columns.some((part) => part.valid) ? new Uint8Array(bitmapBytes(rows)) : undefined
  let row = 0
  let position = 0
  for (const part of columns) {
    if (valid) {
      if (part.valid) copyBits(part.valid, 0, part.length, valid, row)
      else for (let i = 0; i < part.length; i++) setBit(valid, row + i)
    }
    if (layout === "bits") {
      copyBits(part.values as Uint8Array, 0, part.length, values as Uint8Array, row)
    } else if (offsets && part.offsets) {
      const used = part.offsets[part.length] ?? 0
      copyValues(part.values.subarray(0, used), values, position)
      for (let i = 1; i <= part.length; i++) offsets[row + i] = position + (part.offsets[i] ?? 0)
      position += used
    } else {
      copyValues(part.values, values, position)
      position += part.values.length
    }
    row += part.length
  }
  return newColumn(first.type, rows, values, offsets, valid)
}
