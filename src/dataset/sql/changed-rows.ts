/** What a statement that changes rows has to know of them first. */
import type { Node, RangeVar } from "libpg-query"
import type { Batch } from "../../model/batch.ts"
import { batchBytes } from "../../model/batch.ts"
import { type Column, nullColumn } from "../../model/column.ts"
import { messageOf, TableError } from "../../model/errors.ts"
import { columnOf } from "../../model/infer.ts"
import { isHidden } from "../../model/rows.ts"
import { suggest } from "../../model/suggest.ts"
import { type ColumnType, layoutOf, type Schema } from "../../model/types.ts"
import { isInternal } from "../../store/database.ts"
import { type Context, checkAllUsed, newContext } from "./context.ts"
import { type Print, printerFor } from "./expressions.ts"
import { printFrom } from "./from.ts"
import type { Param } from "./params.ts"
import type { Plan } from "./plan.ts"
import { pushFilter } from "./push.ts"
import { pagesOf } from "./query.ts"
import type { QueryValue } from "./result.ts"
import type { Scan } from "./scan.ts"
import { printSelect } from "./select.ts"
import { errorAt, type Location } from "./source.ts"
import type { OpenTables } from "./tables.ts"

/** A statement with what its values are. */
export interface Statement {
  readonly uri: string
  readonly sql: string
  readonly node: Node
  readonly params: readonly Param[]
  readonly signal: AbortSignal
}

/** One statement is one version of the table, so all that it writes is held at once. */
const MAX_BYTES = 256 << 20

export interface Matching {
  readonly context: Context
  readonly scan: Scan
  readonly print: Print
  /** `FROM ... WHERE ...` for the engine. */
  readonly from: string
  /** The store's condition is all of it; without one, all rows are meant. */
  readonly filtered: boolean
  readonly rowId: string
  /** A column of the table, hidden ones too; it is read. */
  readonly column: (name: string) => string
}

/** The rows of one table that fulfil a condition. */
export const matching = (
  { sql, params }: Statement,
  open: OpenTables,
  relation: RangeVar | undefined,
  where: Node | undefined,
): Matching => {
  const context = newContext(sql, open, params, printSelect)
  const { part, scope } = printFrom(context, [{ RangeVar: relation ?? {} }], undefined, new Map())
  const [scan] = part.filterable
  const [first] = part.items[0]?.slots ?? []
  if (!scan || !first?.stored) throw errorAt(sql, relation?.location, "expected the name of a table")
  const print = printerFor(context, scope)
  const rest = pushFilter(context, where, part, scope)
  const condition = rest.length > 0 ? ` WHERE ${rest.map(print).join(" AND ")}` : ""
  return {
    context,
    scan,
    print,
    from: ` FROM ${part.text}${condition}`,
    filtered: rest.length === 0,
    rowId: first.stored.rowId,
    column: (name) => {
      scan.needed.add(name)
      return part.items[0]?.slots.find((slot) => slot.name === name)?.sql ?? "NULL"
    },
  }
}

/** @throws {TableError} for the tables that Sluice keeps for itself. */
export const checkChangeable = (sql: string, relation: RangeVar | undefined): string => {
  const name = relation?.relname ?? ""
  if (!isInternal(name)) return name
  throw errorAt(sql, relation?.location, `${JSON.stringify(name)} is Sluice's own, and can only be read`)
}

/** The plan of a text for the engine. */
export const enginePlan = (context: Context, text: string, columns: readonly string[]): Plan => ({
  context,
  text,
  columns,
  outputs: columns.map((name) => ({ name })),
})

/** @throws {TableError} for a column that is not there, or is not the user's to change. */
export const checkTarget = (
  sql: string,
  schema: Schema,
  table: string,
  column: string,
  location: Location,
): ColumnType => {
  const type = isHidden(column) ? undefined : schema.get(column)
  if (type) return type
  const names = [...schema.keys()].filter((name) => !isHidden(name))
  const what = isHidden(column) ? "is Sluice's own, and cannot be set" : `is no column of ${table}`
  throw errorAt(sql, location, `${JSON.stringify(column)} ${what}${isHidden(column) ? "" : suggest(column, names)}`)
}

const numbersOf = (text: string): number[] | undefined => {
  const [, inner] = /^\s*[[{](.*)[\]}]\s*$/s.exec(text) ?? []
  if (inner === undefined) return undefined
  return inner.trim() === "" ? [] : inner.split(",").map(Number)
}

/** A text stands for what the column holds, as in PostgreSQL; everything else has to fit by itself. */
const assigned = (value: QueryValue, { name, ...type }: ColumnType): unknown => {
  if (name === "TEXT" && (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint")) {
    return String(value)
  }
  if (typeof value !== "string") return value
  switch (layoutOf({ name, ...type })) {
    case "int32":
    case "int64":
      return /^\s*[+-]?\d+\s*$/.test(value) ? BigInt(value) : value
    case "float32":
    case "float64":
      return value.trim() !== "" && (!Number.isNaN(Number(value)) || value.trim().toLowerCase() === "nan")
        ? Number(value)
        : value
    case "bits":
      return /^(true|false)$/i.test(value) ? value.toLowerCase() === "true" : value
    case "vector":
    case "floats":
      return numbersOf(value) ?? value
    case "bytes":
      return /^\\x([0-9a-f]{2})*$/i.test(value) ? Buffer.from(value.slice(2), "hex") : value
    default:
      return value
  }
}

export const rowsOf = (batches: readonly Batch[]): number => batches.reduce((sum, { rows }) => sum + rows, 0)

/**
 * The rows of a plan as batches of the given columns.
 *
 * @throws {TableError} for a value that does not fit its column, naming column and row; or for too many rows.
 */
export const batchesOfPlan = async (
  plan: Plan,
  { params, signal }: Statement,
  types: Schema,
): Promise<readonly Batch[]> => {
  checkAllUsed(plan.context, params)
  const batches: Batch[] = []
  let bytes = 0
  let firstRow = 0
  for await (const { rows, cells } of pagesOf(plan, params, signal)) {
    const columnAt = (name: string, type: ColumnType, index: number): Column => {
      const values = Array.from({ length: rows }, (_, row) => assigned(cells[index]?.(row) ?? null, type))
      return columnOf(name, values, type, firstRow) ?? nullColumn(type, rows)
    }
    try {
      const columns = [...types].map(([name, type], index) => [name, columnAt(name, type, index)] as const)
      const batch: Batch = { rows, columns: new Map(columns) }
      bytes += batchBytes(batch)
      batches.push(batch)
    } catch (error) {
      throw new TableError(`SQL: ${messageOf(error)}`, { cause: error })
    }
    firstRow += rows
    if (bytes > MAX_BYTES) {
      throw new TableError(
        `SQL: the statement writes more than ${MAX_BYTES >> 20} MiB; write less at a time, or use ingest`,
      )
    }
  }
  return batches
}
