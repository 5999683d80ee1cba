/**
 * Columns in memory, `{ name: [values] }`, as a feed. Items are ranges of rows; they become
 * batches on the main thread, where the data is, and typed arrays are handed on without a copy.
 *
 * Everything is checked before the first row is handed over: a value that does not fit, in whatever row, leaves
 * nothing behind in the table. And as all values are seen, a column's type does not depend on where a range begins.
 */
import { randomUUID } from "node:crypto"
import { ConfigError, IngestError } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import type { Columns } from "../model/format.ts"
import { batchOfColumns, checkedType, countRows } from "../model/infer.ts"
import type { Item } from "../model/item.ts"
import type { Normalize } from "../model/normalizer.ts"
import type { SourceContext } from "../model/source.ts"
import {
  type ColumnType,
  formatType,
  type Layout,
  layoutOf,
  parseType,
  type Schema,
  type SchemaMap,
} from "../model/types.ts"

export interface ColumnsOptions<S extends SchemaMap = SchemaMap> {
  /** Types of columns, before those that their values have. */
  readonly schema?: S
  /** Name of the source, for messages. Default: "columns". */
  readonly name?: string
}

/** Of what may be anything, nothing is known. */
type InferredType<V> = unknown extends V
  ? string
  : [V] extends [string | null | undefined]
    ? "TEXT"
    : [V] extends [boolean | null | undefined]
      ? "BOOL"
      : string

/** What the compiler knows of columns in memory: their names, and such types as their values cannot be without. */
export type ColumnTypes<D extends Columns, S extends SchemaMap> = {
  readonly [Name in keyof D]: Name extends keyof S ? S[Name] : InferredType<D[Name][number]>
}

/** An item is what is done again after a kill; a batch is what is built at once. */
const ITEM = { rows: 100_000, bytes: 32 * 2 ** 20 }
const BATCH = { rows: 5_000, bytes: 4 * 2 ** 20 }

/** How many rows are looked at to estimate the size of all. */
const SAMPLES = 256

/** The types of all columns, in their order; a column of nothing but nulls has none and is not in it. */
const typesOf = (data: Columns, schema: SchemaMap): Schema => {
  for (const name of Object.keys(schema)) {
    if (!Object.hasOwn(data, name)) {
      throw new ConfigError(
        `schema: column ${JSON.stringify(name)} is not in the data, which has ${Object.keys(data).join(", ")}`,
      )
    }
  }
  const types = new Map<string, ColumnType>()
  for (const [name, values] of Object.entries(data)) {
    const given = Object.hasOwn(schema, name) ? parseType(schema[name] ?? "", name) : undefined
    const type = checkedType(name, values, given)
    if (type) types.set(name, type)
  }
  return types
}

interface TypedColumn {
  readonly type: ColumnType
  readonly values: ArrayLike<unknown>
}

const VARYING: readonly Layout[] = ["utf8", "bytes", "floats", "vectors"]

/** About how many bytes a checked value takes in a batch. */
const valueBytes = (value: unknown, type: ColumnType): number => {
  const layout = layoutOf(type)
  if (layout === "vector") return 4 * (type.size ?? 1)
  if (!VARYING.includes(layout)) return 8
  if (value === null || value === undefined) return 4
  if (layout === "vectors") return 4 + 4 * (type.size ?? 1) * (value as ArrayLike<unknown>).length
  if (layout === "bytes") return 4 + (value as Uint8Array).byteLength
  if (layout === "floats") return 4 + 4 * (value as ArrayLike<number>).length
  return 4 + (typeof value === "string" ? value : JSON.stringify(value)).length
}

const meanBytes = ({ type, values }: TypedColumn): number => {
  const samples = Math.min(SAMPLES, values.length)
  let bytes = 0
  for (let i = 0; i < samples; i++) bytes += valueBytes(values[Math.floor((i * values.length) / samples)], type)
  return bytes / (samples || 1)
}

/** Whether rows differ in size and can be measured at no cost. The size of a JSON value is only known by building it. */
const isMeasured = ({ type }: TypedColumn): boolean => VARYING.includes(layoutOf(type)) && type.name !== "JSON"

/** About how many bytes a row takes in a batch: measured, where that is cheap, otherwise the mean. */
const rowBytesOf = (columns: readonly TypedColumn[]): ((row: number) => number) => {
  const measured = columns.filter(isMeasured)
  const rest = columns.filter((column) => !isMeasured(column)).reduce((bytes, column) => bytes + meanBytes(column), 0)
  return (row) => measured.reduce((bytes, { values, type }) => bytes + valueBytes(values[row], type), rest)
}

const slice = (values: ArrayLike<unknown>, start: number, end: number): ArrayLike<unknown> =>
  Array.isArray(values) ? values.slice(start, end) : (values as Uint8Array).subarray(start, end)

const rangeOf = ({ id, payload }: Item): { readonly start: number; readonly end: number } => {
  const { start, end } = Object(payload)
  if (Number.isInteger(start) && Number.isInteger(end)) return { start, end }
  throw new IngestError(
    `Item ${id} is not one of columns: expected a payload { start, end }, found ${JSON.stringify(payload)}`,
  )
}

/**
 * Columns of equal length as a source. Types are those of `schema`, otherwise what the values are (see
 * `src/model/infer.ts`); a column of nothing but nulls is left out unless `schema` names it. The items are new in
 * every call: the same data twice is appended twice.
 *
 * Do not change the arrays before the run is over.
 *
 * @throws {IngestError} `data must be a dict`, `data must not be empty`, columns of different length, and a value that
 * does not fit its column, with its row.
 * @throws {ConfigError} for a reserved column name, and a `schema` that is wrong or names columns that are not there.
 * @example
 * ```ts
 * columns({ title: ["a", "b"], score: new Float32Array([0.5, 0.25]) }, { schema: { title: "TEXT" } })
 * ```
 */
export const columns = <D extends Columns, const S extends SchemaMap = Readonly<Record<never, string>>>(
  data: D,
  options: ColumnsOptions<S> = {},
): Feed<ColumnTypes<D, S>> => {
  const rows = countRows(data)
  const types = typesOf(data, options.schema ?? {})
  const known = Object.fromEntries(Object.entries(data).filter(([name]) => types.has(name)))
  const typed = [...types].map(([name, type]) => ({ type, values: data[name] ?? [] }))
  if (typed.length === 0 && rows > 0) {
    throw new IngestError(
      `All values are null: name the type of at least one of the columns ${Object.keys(data).join(", ")} in "schema"`,
    )
  }
  const meanRow = typed.reduce((bytes, column) => bytes + meanBytes(column), 0)
  const step = Math.max(1, Math.min(ITEM.rows, Math.floor(ITEM.bytes / meanRow)))
  const rowBytes = rowBytesOf(typed)
  const call = randomUUID()

  async function* items({ signal }: SourceContext): AsyncGenerator<Item, void, undefined> {
    for (let start = 0; start < rows; start += step) {
      signal.throwIfAborted()
      const end = Math.min(rows, start + step)
      const id = `columns:${call}:${start}`
      yield { id, uri: id, version: "1", bytes: Math.ceil((end - start) * meanRow), payload: { start, end } }
    }
  }

  const normalize: Normalize = async function* (item, _options, context) {
    const range = rangeOf(item)
    for (let start = range.start; start < range.end; ) {
      context.signal.throwIfAborted()
      let bytes = 0
      let end = start
      do bytes += rowBytes(end++)
      while (end < range.end && end - start < BATCH.rows && bytes < BATCH.bytes)
      const part = Object.fromEntries(Object.entries(known).map(([name, values]) => [name, slice(values, start, end)]))
      yield { batch: batchOfColumns(part, types, start), medium: "columns" }
      context.progress()
      start = end
    }
  }

  return {
    source: { name: options.name ?? "columns", items, total: Math.ceil(rows / step) },
    code: { normalize, options: {} },
    // The data is on the main thread.
    route: () => ({ lane: "main", recipe: "columns" }),
    columnTypes: Object.fromEntries([...types].map(([name, type]) => [name, formatType(type)])) as ColumnTypes<D, S>,
  }
}
