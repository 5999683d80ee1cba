/** The rows of a column as data pages of version 1: levels, then values. One page for each leaf of the schema. */
import { type Column, isNull } from "../model/column.ts"
import { bitLevels, type Run, runLevels } from "./levels.ts"
import { countRows, plainValues, presentRows, type Range } from "./plain.ts"
import { type Bounds, boundsOf } from "./statistics.ts"
import { storedAs, toStored } from "./stored.ts"

export interface Page {
  /** Values, nulls and empty lists: what the levels count. */
  readonly entries: number
  readonly nulls: number
  readonly bounds?: Bounds | undefined
  /** What is in the page before it is compressed. */
  readonly parts: readonly Uint8Array[]
}

/** Level 1 is a value. */
const flatPage = (column: Column): Page => {
  const { length, valid } = column
  const ranges = presentRows(column)
  const levels = valid ? bitLevels(valid, length) : runLevels([{ level: 1, count: length }])
  return {
    entries: length,
    nulls: length - countRows(ranges),
    bounds: boundsOf(column, ranges),
    parts: [...levels, ...plainValues(column, ranges)],
  }
}

/** `level` for the rows of the ranges, 0 for those between. */
function* levelsOf(length: number, ranges: readonly Range[], level: number): Generator<Run> {
  let row = 0
  for (const [start, end] of ranges) {
    if (start > row) yield { level: 0, count: start - row }
    yield { level, count: end - start }
    row = end
  }
  if (row < length) yield { level: 0, count: length - row }
}

/** Leaves `bytes` and `path` of a struct: level 1 is a struct without the leaf's value, 2 is one with it. */
const filePages = (column: Column): readonly Page[] => {
  const { length } = column
  const ranges = presentRows(column)
  const bytes = runLevels(levelsOf(length, ranges, 2))
  return [
    { entries: length, nulls: length - countRows(ranges), parts: [...bytes, ...plainValues(column, ranges)] },
    { entries: length, nulls: length, parts: runLevels(levelsOf(length, ranges, 1)) },
  ]
}

/** Definition: 0 is a null row, 1 an empty list, 3 an element. Repetition: 0 begins a row, 1 goes on with its list. */
const listPage = (column: Column): Page => {
  const { offsets, type, length } = column
  const sizeOf = (row: number): number => (offsets ? (offsets[row + 1] ?? 0) - (offsets[row] ?? 0) : (type.size ?? 0))
  const runs: { readonly level: number; count: number }[] = []
  const starts: number[] = []
  let entries = 0
  let nulls = 0
  for (let row = 0; row < length; row++) {
    const size = isNull(column, row) ? 0 : sizeOf(row)
    const level = size > 0 ? 3 : isNull(column, row) ? 0 : 1
    const count = Math.max(1, size)
    const last = runs.at(-1)
    if (last?.level === level) last.count += count
    else runs.push({ level, count })
    starts.push(entries)
    entries += count
    if (size === 0) nulls++
  }
  const repetition = new Uint8Array((entries + 7) >>> 3).fill(255)
  for (const start of starts) repetition[start >>> 3] = (repetition[start >>> 3] ?? 0) & ~(1 << (start & 7))
  return {
    entries,
    nulls,
    parts: [...bitLevels(repetition, entries), ...runLevels(runs), ...plainValues(column, presentRows(column))],
  }
}

/**
 * Lists of vectors. Definition: 0 is a null row, 1 an empty list, 5 a number. Repetition: 0 begins a row, 1 a vector of
 * it, 2 goes on with the vector.
 */
const vectorsPage = (column: Column): Page => {
  const { offsets, length } = column
  const size = column.type.size ?? 1
  const repetition: Run[] = []
  const definition: Run[] = []
  let entries = 0
  let nulls = 0
  for (let row = 0; row < length; row++) {
    const floats = isNull(column, row) ? 0 : (offsets?.[row + 1] ?? 0) - (offsets?.[row] ?? 0)
    if (floats === 0) {
      repetition.push({ level: 0, count: 1 })
      definition.push({ level: isNull(column, row) ? 0 : 1, count: 1 })
      entries++
      nulls++
      continue
    }
    for (let start = 0; start < floats; start += size) {
      repetition.push({ level: start === 0 ? 0 : 1, count: 1 })
      if (size > 1) repetition.push({ level: 2, count: size - 1 })
    }
    definition.push({ level: 5, count: floats })
    entries += floats
  }
  return {
    entries,
    nulls,
    parts: [...runLevels(repetition), ...runLevels(definition), ...plainValues(column, presentRows(column))],
  }
}

export const pagesOf = (column: Column): readonly Page[] => {
  switch (storedAs(column.type)) {
    case "file":
      return filePages(column)
    case "list":
      return [listPage(column)]
    case "vectors":
      return [vectorsPage(column)]
    default:
      return [flatPage(toStored(column))]
  }
}
