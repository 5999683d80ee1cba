/**
 * The contract `discard_row`: rows that do not fit the table are left out and counted, the others of their item stay.
 *
 * Rows keep their numbers, so there are gaps where some are missing.
 */
import type { Batch } from "../model/batch.ts"
import { type Column, isNull, nullColumn, valueAt } from "../model/column.ts"
import { describeValue } from "../model/describe.ts"
import { type ColumnType, formatType, type Schema, sameType } from "../model/types.ts"
import { conform, fitsWhole } from "./contract.ts"
import { openHoldback } from "./holdback.ts"
import type { Part } from "./part.ts"

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

export const openSieve = (): Sieve => {
  const holdback = openHoldback()
  let discarded = 0
  let reasons: string[] = []

  const drop = (): void => {
    holdback.drop()
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
      const { parts, nothingLeft } = holdback.take(part, (row) => bad.has(row))
      const good = parts.map((one) => ({ ...one, batch: fitted(one.batch, schema) }))
      if (!span.end) return { parts: good }
      const more = discarded > reasons.length ? "; ..." : ""
      const message =
        discarded > 0
          ? `${discarded} row${discarded === 1 ? "" : "s"} left out: ${reasons.join("; ")}${more}`
          : undefined
      drop()
      return {
        parts: good,
        ...(message !== undefined && { discarded: message }),
        ...(nothingLeft && { nothingLeft }),
      }
    },
  }
}
