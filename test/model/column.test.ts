import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Column, nullColumn } from "../../src/model/column.ts"
import { concatColumns, sliceColumn } from "../../src/model/splice.ts"
import { build, type Sample, sample, samples, valuesOf } from "../fixtures/columns.ts"

const cut = fc.tuple(fc.nat(), fc.nat())

/** Two numbers as the start and end of a range within `rows`. */
const rangeIn = (rows: number, [a, b]: readonly [number, number]): readonly [number, number] => {
  const ends = [a % (rows + 1), b % (rows + 1)] as const
  return [Math.min(...ends), Math.max(...ends)]
}

const sliced = (column: Column, [start, end]: readonly [number, number]): Column => sliceColumn(column, start, end)

describe("columns behave as arrays of values", () => {
  it("keeps every value and every null", () => {
    fc.assert(
      fc.property(sample, (one) => {
        expect(valuesOf(build(one))).toEqual(one.values)
      }),
    )
  })

  it("slices, also what is a slice already", () => {
    fc.assert(
      fc.property(sample, cut, cut, (one, first, second) => {
        const outer = rangeIn(one.values.length, first)
        const inner = rangeIn(outer[1] - outer[0], second)
        const column = sliced(sliced(build(one), outer), inner)
        expect(valuesOf(column)).toEqual(one.values.slice(...outer).slice(...inner))
      }),
    )
  })

  it("concatenates, with slices, null columns and columns without nulls among the parts", () => {
    fc.assert(
      fc.property(samples, cut, fc.nat(20), (parts, at, nulls) => {
        const [first] = parts as [Sample]
        const range = rangeIn(first.values.length, at)
        const column = concatColumns([sliced(build(first), range), nullColumn(first.type, nulls), ...parts.map(build)])
        expect(valuesOf(column)).toEqual([
          ...first.values.slice(...range),
          ...new Array(nulls).fill(null),
          ...parts.flatMap((part) => part.values),
        ])
      }),
    )
  })

  it("survives slicing a concatenation", () => {
    fc.assert(
      fc.property(samples, cut, (parts, at) => {
        const all = parts.flatMap((part) => part.values)
        const range = rangeIn(all.length, at)
        expect(valuesOf(sliced(concatColumns(parts.map(build)), range))).toEqual(all.slice(...range))
      }),
    )
  })
})
