/** Columns as a training loop wants them: one array a column, on memory that no other batch has. */
import type { Batch } from "../../model/batch.ts"
import { isSet } from "../../model/bits.ts"
import { type Column, isNull, type Values } from "../../model/column.ts"
import { type ColumnType, type Layout, layoutOf } from "../../model/types.ts"

/**
 * | type | array | where there is no value |
 * |---|---|---|
 * | FLOAT32, FLOAT64 | `Float32Array`, `Float64Array` | NaN |
 * | INT32, INT64 | `Int32Array`, `BigInt64Array` | 0 |
 * | CLASS_LABEL | `Int32Array` | -1 |
 * | BOOL | `Uint8Array` of 0 and 1 | 0 |
 * | EMBEDDING(w) | one `Float32Array` of w floats a row, row after row | NaN, w times |
 * | TEXT, JSON | strings | null |
 * | BOUNDING_BOX, POINT | a `Float32Array` a row | null |
 * | MULTI_EMBEDDING(w) | a `Float32Array` a row: its vectors of w floats, one after the other | null |
 * | IMAGE, VIDEO, BINARY and other bytes | a `Uint8Array` a row | null |
 */
export type ColumnArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | readonly (string | null)[]
  | readonly (Float32Array | null)[]
  | readonly (Uint8Array | null)[]

/** An array for each column; a row has the same place in all of them. See {@link ColumnArray}. */
export type ColumnArrays = Readonly<Record<string, ColumnArray>>

/** Rows of a batch: from `start` to `end` (exclusive) of `rows`, or of the batch itself where there are none. */
export interface Piece {
  readonly batch: Batch
  readonly rows?: Uint32Array
  readonly start: number
  readonly end: number
}

/** So many bytes of text are made a string at once, of which rows are parts, and which they keep alive. */
const TEXT_AT_ONCE = 1 << 20
const decoder = new TextDecoder()
const whole = new WeakMap<Column, string | undefined>()

/** The column as one string, where a position in it is a position in the bytes: in plain ASCII. */
const asciiOf = (column: Column): string | undefined => {
  if (!whole.has(column)) {
    const used = column.offsets?.[column.length] ?? 0
    const text = used <= TEXT_AT_ONCE ? decoder.decode(column.values.subarray(0, used) as Uint8Array) : ""
    whole.set(column, text.length === used ? text : undefined)
  }
  return whole.get(column)
}

type Visit = (row: number, at: number) => void

/** Calls with each row of the piece, and where it comes to stand. */
const eachRow = ({ rows, start, end }: Piece, first: number, visit: Visit): void => {
  for (let from = start; from < end; from++) visit(rows?.[from] ?? from, first + from - start)
}

/** Typed arrays one after the other in one piece of memory: a piece for each would cost more than to fill it. */
type Room = (layout: Layout, count: number) => Values

const BYTES: Readonly<Partial<Record<Layout, number>>> = {
  int32: 4,
  int64: 8,
  float32: 4,
  float64: 8,
  vector: 4,
  bits: 1,
}

/** Every array begins at a multiple of 8 bytes, as the widest ones have to. */
const aligned = (bytes: number): number => (bytes + 7) & ~7

const roomOf = (columns: readonly (readonly [string, ColumnType])[], rows: number): Room => {
  let total = 0
  for (const [, type] of columns) total += aligned(rows * widthOf(type) * (BYTES[layoutOf(type)] ?? 0))
  const memory = new ArrayBuffer(total)
  let used = 0
  return (layout, count) => {
    const start = used
    used += aligned(count * (BYTES[layout] ?? 0))
    switch (layout) {
      case "int32":
        return new Int32Array(memory, start, count)
      case "int64":
        return new BigInt64Array(memory, start, count)
      case "float64":
        return new Float64Array(memory, start, count)
      case "bits":
        return new Uint8Array(memory, start, count)
      default:
        return new Float32Array(memory, start, count)
    }
  }
}

/** Values of a row. */
const widthOf = (type: ColumnType): number => (layoutOf(type) === "vector" ? (type.size ?? 1) : 1)

const copyNumbers = (from: Values, to: Values, width: number, piece: Piece, first: number): void => {
  // Both are of one kind, which the type of a union does not tell.
  const source = from as Float32Array
  const target = to as Float32Array
  const { rows, start, end } = piece
  if (!rows) target.set(source.subarray(start * width, end * width), first * width)
  else if (width === 1) {
    for (let from = start, at = first; from < end; from++) target[at++] = source[rows[from] ?? 0] ?? 0
  } else eachRow(piece, first, (row, at) => target.set(source.subarray(row * width, (row + 1) * width), at * width))
}

const emptyOf = (type: ColumnType): number | bigint => {
  const layout = layoutOf(type)
  if (type.name === "CLASS_LABEL") return -1
  return layout === "int64" ? 0n : layout === "int32" ? 0 : Number.NaN
}

const numbers = (type: ColumnType, pieces: readonly Placed[], rows: number, room: Room): Values => {
  const width = widthOf(type)
  const target = room(layoutOf(type), rows * width)
  for (const { column, piece, first } of pieces) {
    copyNumbers(column.values, target, width, piece, first)
    if (!column.valid) continue
    eachRow(piece, first, (row, at) => {
      if (isNull(column, row)) (target as Float32Array).fill(emptyOf(type) as number, at * width, (at + 1) * width)
    })
  }
  return target
}

const texts = (pieces: readonly Placed[], rows: number): (string | null)[] => {
  const target = new Array<string | null>(rows).fill(null)
  for (const { column, piece, first } of pieces) {
    const { offsets = new Int32Array(0) } = column
    const bytes = column.values as Uint8Array
    const ascii = asciiOf(column)
    for (let from = piece.start, at = first; from < piece.end; from++, at++) {
      const row = piece.rows?.[from] ?? from
      if (column.valid && isNull(column, row)) continue
      target[at] =
        ascii === undefined
          ? decoder.decode(bytes.subarray(offsets[row], offsets[row + 1]))
          : ascii.slice(offsets[row], offsets[row + 1])
    }
  }
  return target
}

/** A column of a piece, and where its rows come to stand. */
interface Placed {
  readonly column: Column
  readonly piece: Piece
  readonly first: number
}

const arrayOf = (type: ColumnType, pieces: readonly Placed[], rows: number, room: Room): ColumnArray => {
  switch (layoutOf(type)) {
    case "utf8":
      return texts(pieces, rows)
    case "bytes": {
      const target = new Array<Uint8Array | null>(rows).fill(null)
      for (const { column, piece, first } of pieces) {
        eachRow(piece, first, (row, at) => {
          const { values, offsets } = column
          if (!isNull(column, row)) target[at] = values.subarray(offsets?.[row], offsets?.[row + 1]) as Uint8Array
        })
      }
      return target
    }
    case "floats":
    case "vectors": {
      const target = new Array<Float32Array | null>(rows).fill(null)
      for (const { column, piece, first } of pieces) {
        eachRow(piece, first, (row, at) => {
          const { values, offsets } = column
          if (!isNull(column, row)) target[at] = values.slice(offsets?.[row], offsets?.[row + 1]) as Float32Array
        })
      }
      return target
    }
    case "bits": {
      const target = room("bits", rows)
      for (const { column, piece, first } of pieces) {
        eachRow(piece, first, (row, at) => {
          target[at] = !isNull(column, row) && isSet(column.values as Uint8Array, row) ? 1 : 0
        })
      }
      return target
    }
    default:
      return numbers(type, pieces, rows, room)
  }
}

const masks = new WeakMap<object, ReadonlyMap<string, Uint8Array>>()

/**
 * Which rows of a batch have no value in a column: a byte a row, 1 where there is none; undefined where all have one.
 * It is for the columns in whose arrays such rows look like others: numbers and booleans. It is known of the batch that
 * the dataset gave, not of copies.
 *
 * @example
 * ```ts
 * const dataset = await client.openTable("frames")
 * for await (const batch of dataset.batches(256)) {
 *   const missing = nullMask(batch, "label")
 *   if (missing) console.log(`${missing.filter((one) => one === 1).length} rows without a label`)
 * }
 * ```
 */
export const nullMask = (batch: object, column: string): Uint8Array | undefined => masks.get(batch)?.get(column)

const maskOf = (pieces: readonly Placed[], rows: number): Uint8Array | undefined => {
  let mask: Uint8Array | undefined
  for (const { column, piece, first } of pieces) {
    if (!column.valid) continue
    eachRow(piece, first, (row, at) => {
      if (!isNull(column, row)) return
      mask ??= new Uint8Array(rows)
      mask[at] = 1
    })
  }
  return mask
}

/** The given columns of the pieces, one after the other. */
export const arraysOf = (
  columns: readonly (readonly [name: string, type: ColumnType])[],
  pieces: readonly Piece[],
  others: ReadonlyMap<string, ColumnArray> = new Map(),
): ColumnArrays => {
  let rows = 0
  const firsts = pieces.map(({ start, end }) => {
    rows += end - start
    return rows - (end - start)
  })
  const room = roomOf(columns, rows)
  const nulls = new Map<string, Uint8Array>()
  const arrays = Object.fromEntries(
    columns.map(([name, type]) => {
      const other = others.get(name)
      if (other) return [name, other]
      const placed = pieces.flatMap((piece, index): Placed[] => {
        const column = piece.batch.columns.get(name)
        return column ? [{ column, piece, first: firsts[index] ?? 0 }] : []
      })
      const mask = maskOf(placed, rows)
      if (mask) nulls.set(name, mask)
      return [name, arrayOf(type, placed, rows, room)]
    }),
  )
  if (nulls.size > 0) masks.set(arrays, nulls)
  return arrays
}
