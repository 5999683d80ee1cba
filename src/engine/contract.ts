/**
 * Whether rows fit the table. Checked before every write: the store itself would turn 1.5 into 1 without a word.
 *
 * By the contract `evolve`, columns that the table lacks are added; by the others they are violations, once the table
 * has any. A whole-number column becomes FLOAT64 when a later batch needs it, as long as nothing of it is committed;
 * after that a fraction is a violation.
 */
import type { Batch } from "../model/batch.ts"
import { type Column, isNull, numberColumn } from "../model/column.ts"
import { IngestError } from "../model/errors.ts"
import { checkColumnName } from "../model/rows.ts"
import { type ColumnType, formatType, isOpen, layoutOf, type Schema, sameType } from "../model/types.ts"

const FLOAT64: ColumnType = { name: "FLOAT64" }

/** Types whose values all fit the other type. */
const WIDENS: Readonly<Record<string, readonly string[]>> = {
  INT64: ["INT32"],
  FLOAT64: ["INT32", "INT64", "FLOAT32"],
}

const withValues = (column: Column, values: Float64Array | BigInt64Array, type: ColumnType): Column => ({
  ...numberColumn(values, type),
  ...(column.valid && { valid: column.valid }),
})

const toFloat64 = (column: Column): Column =>
  withValues(column, Float64Array.from(column.values as Int32Array, Number), FLOAT64)

/** Whether one value can stand in a column of the type, without any loss. */
export const fitsWhole = (column: Column, row: number, type: ColumnType): boolean => {
  if (sameType(column.type, type) || WIDENS[type.name]?.includes(column.type.name)) return true
  return type.name === "INT64" && column.type.name === "FLOAT64" && Number.isSafeInteger(column.values[row])
}

/** A FLOAT64 column as INT64. @throws {IngestError} at the first value that is no whole number. */
const toInt64 = (name: string, column: Column, type: ColumnType, firstRow: number): Column => {
  const values = new BigInt64Array(column.length)
  for (let row = 0; row < column.length; row++) {
    if (isNull(column, row)) continue
    const value = Number(column.values[row])
    if (!Number.isSafeInteger(value)) {
      throw new IngestError(
        `Column ${JSON.stringify(name)}, row ${firstRow + row}: expected INT64, as the rows already in the table have it, found ${value}. Name the type in the schema before the first commit: { ${JSON.stringify(name)}: "FLOAT64" }`,
      )
    }
    values[row] = BigInt(value)
  }
  return withValues(column, values, type)
}

const NAMES_SHOWN = 10

const listed = (names: readonly string[]): string => {
  const more = names.length - NAMES_SHOWN
  return `${names.slice(0, NAMES_SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

const conformColumn = (name: string, column: Column, type: ColumnType, firstRow = 0): Column => {
  if (sameType(column.type, type)) return column.type === type ? column : { ...column, type }
  if (WIDENS[type.name]?.includes(column.type.name)) {
    return type.name === "FLOAT64"
      ? toFloat64(column)
      : withValues(column, BigInt64Array.from(column.values as Int32Array, BigInt), type)
  }
  if (type.name === "INT64" && column.type.name === "FLOAT64") return toInt64(name, column, type, firstRow)
  if (type.names && column.type.names && type.name === column.type.name) {
    throw new IngestError(
      `Column ${JSON.stringify(name)}: expected the classes that the table has (${listed(type.names)}), found ${listed(column.type.names)}. The same number would be another class: give the rows a table of their own`,
    )
  }
  throw new IngestError(
    `Column ${JSON.stringify(name)}: expected ${formatType(type)}, found ${formatType(column.type)}`,
  )
}

/** `batch` with the types of `schema`; columns that the schema lacks stay as they are. */
export const conform = (batch: Batch, schema: Schema): Batch => {
  let changed = false
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) {
    const type = schema.get(name)
    const fitted = type ? conformColumn(name, column, type) : column
    changed ||= fitted !== column
    columns.set(name, fitted)
  }
  return changed ? { rows: batch.rows, columns } : batch
}

const isAllNull = (column: Column): boolean => {
  for (let row = 0; row < column.length; row++) if (!isNull(column, row)) return false
  return true
}

/** `batch` without the columns of nothing but nulls that the schema lacks: such a column says nothing. */
export const withoutUnknown = (batch: Batch, schema: Schema): Batch => {
  if ([...batch.columns.keys()].every((name) => schema.has(name))) return batch
  const known = [...batch.columns].filter(([name, column]) => schema.has(name) || !isAllNull(column))
  return { rows: batch.rows, columns: new Map(known) }
}

/**
 * @throws {IngestError} when `batch` has a column that the schema lacks; `firstRow` is the row of its first value.
 */
export const freeze = (schema: Schema, batch: Batch, firstRow: number): void => {
  for (const [name, column] of batch.columns) {
    if (schema.has(name)) continue
    const row = Array.from({ length: column.length }, (_, at) => at).find((at) => !isNull(column, at)) ?? 0
    throw new IngestError(
      `Column ${JSON.stringify(name)}, row ${firstRow + row}: expected one of the columns that the table has (${[...schema.keys()].join(", ")}), found another, of type ${formatType(column.type)}. The contract is freeze: take evolve to add columns`,
    )
  }
}

/**
 * The schema that holds `batch` too. `committed` are the columns whose type cannot change any more; `firstRow` is the
 * row of the item at which the batch starts, for messages.
 *
 * @throws {IngestError} naming column, row, expected and found, when there is none.
 * @throws {ConfigError} when a new column has a name that no column may have.
 */
export const evolve = (schema: Schema, committed: Schema, batch: Batch, firstRow = 0): Schema => {
  let next: Map<string, ColumnType> | undefined
  for (const [name, column] of batch.columns) {
    const type = schema.get(name)
    if (!type) {
      checkColumnName(name)
      next ??= new Map(schema)
      next.set(name, column.type)
    } else if (isOpen(type) && column.type.name === type.name) {
      next ??= new Map(schema)
      next.set(name, column.type)
    } else if (!committed.has(name) && type.name === "INT64" && column.type.name === "FLOAT64") {
      next ??= new Map(schema)
      next.set(name, FLOAT64)
    } else if (!sameType(type, column.type)) {
      conformColumn(name, column, type, firstRow)
    } else if (column.type.names && !type.names) {
      next ??= new Map(schema)
      next.set(name, { ...type, names: column.type.names })
    }
  }
  return next ?? schema
}

/** `batch` with the types that the caller asked for, where these differ in name only (an IMAGE kept as BINARY, say). */
export const retype = (batch: Batch, asked: Schema): Batch => {
  if (![...asked.keys()].some((name) => batch.columns.has(name))) return batch
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) {
    const type = asked.get(name)
    // What is asked for says nothing about the names of classes.
    const renamed =
      type && !sameType(type, column.type) && layoutOf(type) === layoutOf(column.type) && type.size === column.type.size
    columns.set(name, renamed ? { ...column, type } : column)
  }
  return { rows: batch.rows, columns }
}
