/** Rows as a user's function sees them, and what it gives as columns. */
import type { Batch } from "../model/batch.ts"
import { type Value, valueAt } from "../model/column.ts"
import { describeValue } from "../model/describe.ts"
import { IngestError } from "../model/errors.ts"
import type { Columns } from "../model/format.ts"
import { batchOfColumns } from "../model/infer.ts"
import type { FilterStage, MapStage, StageBatch } from "../model/stage.ts"
import type { SchemaMap } from "../model/types.ts"
import type { Part } from "./part.ts"

const quoted = (names: Iterable<string>): string => [...names].map((name) => JSON.stringify(name)).join(", ")

const valuesOf = (batch: Batch, name: string): Value[] => {
  const column = batch.columns.get(name)
  return Array.from({ length: batch.rows }, (_, row) => (column ? valueAt(column, row) : null))
}

/**
 * The rows of all parts, each value as its own part has it: a column can be of several types. One that a part lacks is
 * null there, and so is one of `known` that all of them lack.
 */
export const stageBatch = (parts: readonly Part[], known: SchemaMap): StageBatch => ({
  rows: parts.reduce((rows, { batch }) => rows + batch.rows, 0),
  items: parts.flatMap(({ spans }) => spans.flatMap(({ item, rows }) => new Array<string>(rows).fill(item))),
  column: (name): Value[] => {
    if (!Object.hasOwn(known, name) && !parts.some(({ batch }) => batch.columns.has(name))) {
      const names = new Set(parts.flatMap(({ batch }) => [...batch.columns.keys()]))
      throw new IngestError(
        `Expected one of the columns that the rows have (${quoted(names)}), found ${JSON.stringify(name)}`,
      )
    }
    return parts.flatMap(({ batch }) => valuesOf(batch, name))
  },
})

/**
 * What a `map` gave as a batch of its declared columns.
 *
 * @throws {IngestError} when columns are missing, or more than was declared, or have another length or other types.
 */
export const mapped = ({ name, columns }: Pick<MapStage, "name" | "columns">, given: Columns, rows: number): Batch => {
  const where = `map ${JSON.stringify(name)}`
  if (typeof given !== "object" || given === null) {
    throw new IngestError(`${where}: expected an object of columns, found ${describeValue(given)}`)
  }
  const names = Object.keys(given)
  if (names.length !== columns.size || !names.every((one) => columns.has(one))) {
    throw new IngestError(`${where}: expected the columns ${quoted(columns.keys())}, found ${quoted(names) || "none"}`)
  }
  const batch = batchOfColumns(given, columns)
  if (batch.rows !== rows) throw new IngestError(`${where}: expected ${rows} values a column, found ${batch.rows}`)
  return batch
}

/** @throws {IngestError} when what a `filter` gave is not one value a row. */
export const checkMask = ({ name }: FilterStage, mask: ArrayLike<unknown>, rows: number): void => {
  if (mask?.length === rows) return
  const found = typeof mask?.length === "number" ? `${mask.length} values` : describeValue(mask)
  throw new IngestError(`filter ${JSON.stringify(name)}: expected a value for each of ${rows} rows, found ${found}`)
}
