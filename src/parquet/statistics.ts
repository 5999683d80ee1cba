/**
 * The smallest and the largest number of a column chunk, by which readers skip row groups. Texts and bytes have none:
 * few are searched by order, and comparing them all costs more than writing them.
 */
import type { Column } from "../model/column.ts"
import { layoutOf } from "../model/types.ts"
import type { Range } from "./plain.ts"

export interface Bounds {
  readonly min: number | bigint
  readonly max: number | bigint
}

const numberBounds = (
  values: Int32Array | Float32Array | Float64Array,
  ranges: readonly Range[],
): Bounds | undefined => {
  let min = Infinity
  let max = -Infinity
  for (const [start, end] of ranges) {
    for (let row = start; row < end; row++) {
      // Comparisons with NaN do not hold, so it is left out, as the format wants it.
      const value = values[row] ?? Number.NaN
      if (value < min) min = value
      if (value > max) max = value
    }
  }
  return min <= max ? { min, max } : undefined
}

const bigintBounds = (values: BigInt64Array, ranges: readonly Range[]): Bounds | undefined => {
  const first = ranges[0]?.[0]
  if (first === undefined) return undefined
  let min = values[first] ?? 0n
  let max = min
  for (const [start, end] of ranges) {
    for (let row = start; row < end; row++) {
      const value = values[row] ?? 0n
      if (value < min) min = value
      else if (value > max) max = value
    }
  }
  return { min, max }
}

/** Of the given rows of a column of numbers; undefined for any other column, and where there is no number. */
export const boundsOf = (column: Column, ranges: readonly Range[]): Bounds | undefined => {
  switch (layoutOf(column.type)) {
    case "int32":
    case "float32":
    case "float64":
      return numberBounds(column.values as Int32Array, ranges)
    case "int64":
      return bigintBounds(column.values as BigInt64Array, ranges)
    default:
      return undefined
  }
}

const smaller = (a: number | bigint, b: number | bigint): number | bigint => (b < a ? b : a)
const larger = (a: number | bigint, b: number | bigint): number | bigint => (b > a ? b : a)

export const joinBounds = (a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined =>
  a && b ? { min: smaller(a.min, b.min), max: larger(a.max, b.max) } : (a ?? b)
