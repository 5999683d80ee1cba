/**
 * The contract `discard_row`: rows that do not fit the table are left out and counted, the others of their item stay.
 *
 * Rows keep their numbers, so there are gaps where some are missing. The last good row of an item carries the mark of
 * its end, and which one that is shows only at the end: one row is held back until then.
 */
import type { Batch } from "../model/batch.ts"
import { type Column, isNull, nullColumn, valueAt } from "../model/column.ts"
import { describeValue } from "../model/describe.ts"
import { type ColumnType, formatType, type Schema, sameType } from "../model/types.ts"
import { conform, fitsWhole } from "./contract.ts"
import { type Part, splitPart } from "./part.ts"

export interface Sieve {
  /** Takes rows of one item, and gives those that can be added now. */
  take(part: Part, schema: Schema): Sifted
  /** Forgets the item that has not ended. */
  drop(): void
}

export interface Sifted {
  readonly parts: readonly Part[]
  /** At the item's end, when rows of it were left out: how many, and why the first ones. */
  readonly discarded?: string
  /** At the item's end, when none of its rows is left. */
  readonly nothingLeft?: true
}

const REASONS_SHOWN = 3

/** Why a value does not fit; undefined when it does. */
const problemOf = (name: string, column: Column, row: number, type: ColumnType | undefined): string | undefined => {
  if (isNull(column, row)) return undefined
  if (!type)
    return `the table has no column ${JSON.stringify(name)}, found ${describeValue(valueAt(column, row))} in it`
  if (fitsWhole(column, row, type)) return undefined
  return `column ${JSON.stringify(name)}: expected ${formatType(type)}, found ${describeValue(valueAt(column, row))}`
}

/** Rows that do not fit, with the reason. */
const misfits = (batch: Batch, schema: Schema): ReadonlyMap<number, string> => {
  const found = new Map<number, string>()
  for (const [name, column] of batch.columns) {
    const type = schema.get(name)
    if (type && sameType(type, column.type)) continue
    for (let row = 0; row < batch.rows; row++) {
      const problem = found.has(row) ? undefined : problemOf(name, column, row, type)
      if (problem !== undefined) found.set(row, problem)
    }
  }
  return found
}

/** Good rows in the types of the table. What is left of a column that does not fit it are nulls. */
const fitted = (batch: Batch, schema: Schema): Batch => {
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) {
    const type = schema.get(name)
    if (!type) continue
    const allNull =
      !sameType(type, column.type) &&
      Array.from({ length: batch.rows }, (_, row) => row).every((row) => isNull(column, row))
    columns.set(name, allNull ? nullColumn(type, batch.rows) : column)
  }
  return conform({ rows: batch.rows, columns }, schema)
}

const between = (part: Part, start: number, end: number): Part => {
  const before = splitPart(part, end)[0]
  return start === 0 ? before : (splitPart(before, start)[1] ?? before)
}

/** The good rows, in pieces without a gap. */
const goodPieces = (part: Part, bad: ReadonlyMap<number, string>, schema: Schema): Part[] => {
  const pieces: Part[] = []
  let start = 0
  for (let row = 0; row <= part.batch.rows; row++) {
    if (row < part.batch.rows && !bad.has(row)) continue
    if (row > start) {
      const piece = between(part, start, row)
      pieces.push({ ...piece, batch: fitted(piece.batch, schema) })
    }
    start = row + 1
  }
  return pieces
}

const withEnd = (part: Part, end: boolean): Part => ({
  ...part,
  spans: part.spans.map((span, index) => ({ ...span, end: end && index === part.spans.length - 1 })),
})

export const openSieve = (): Sieve => {
  let held: Part | undefined
  let discarded = 0
  let reasons: string[] = []

  const drop = (): void => {
    held = undefined
    discarded = 0
    reasons = []
  }

  return {
    drop,
    take: (part, schema) => {
      const [span] = part.spans
      if (!span) return { parts: [] }
      const bad = misfits(part.batch, schema)
      for (const [row, reason] of bad) {
        if (reasons.length < REASONS_SHOWN) reasons.push(`row ${span.firstRow + row}: ${reason}`)
      }
      discarded += bad.size
      const parts = [...(held ? [held] : []), ...goodPieces(part, bad, schema)].map((one) => withEnd(one, false))
      held = undefined
      const last = parts.pop()
      if (!span.end) {
        if (!last) return { parts }
        const [before, after] = splitPart(last, last.batch.rows - 1)
        held = after ?? last
        return { parts: after ? [...parts, before] : parts }
      }
      const more = discarded > reasons.length ? "; ..." : ""
      const message =
        discarded > 0
          ? `${discarded} row${discarded === 1 ? "" : "s"} left out: ${reasons.join("; ")}${more}`
          : undefined
      drop()
      return {
        parts: last ? [...parts, withEnd(last, true)] : [],
        ...(message !== undefined && { discarded: message }),
        ...(!last && { nothingLeft: true }),
      }
    },
  }
}
