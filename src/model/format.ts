/** The contract of a format: anyone's class that yields a dataset layout as column batches. */
import type { Feed } from "./feed.ts"
import { type Component, define, type Fields, type Spec } from "./fields.ts"
import type { Schema, SchemaMap } from "./types.ts"

/** Column names and their values, one array entry (or typed array entry) a row. */
export type Columns = Readonly<Record<string, ArrayLike<unknown>>>

/**
 * A dataset layout. Only `normalize` is required.
 *
 * A column's type is what the caller's `schema` says, else what `pg_schema` and `schema` say, else what the values of
 * the first batch that has some are (see `src/model/infer.ts`).
 *
 * @example
 * ```ts
 * class Numbers implements Format {
 *   *normalize() {
 *     for (let start = 0; start < 1000; start += 100) {
 *       const n = Array.from({ length: 100 }, (_, i) => start + i)
 *       yield { n, square: n.map((value) => value ** 2) }
 *     }
 *   }
 *   readonly name = "numbers"
 * }
 * await new Client().ingest("squares", null, { format: new Numbers() })
 * ```
 */
export interface Format<S extends SchemaMap = SchemaMap> {
  /** Yields batches of 100 to 1,000 rows: columns of equal length, the same names in every batch. */
  normalize(): Iterable<Columns> | AsyncIterable<Columns>
  /** Column types that inference could not know. */
  schema?(): SchemaMap
  /**
   * All columns with their types, where they are the same whatever the data: then the compiler knows them in a
   * pipeline. Says what `schema` says, so that one of the two is enough.
   */
  readonly columnTypes?: S | undefined
  /**
   * The same as PostgreSQL types and domains (`bytea`, `float4[]`, `IMAGE`); kept for classes written for the SDK that
   * Sluice re-creates. Where both name a column, this one says more (`bytea` there, `IMAGE` here) and wins.
   */
  pg_schema?(): Readonly<Record<string, string>>
  /** Columns that get thumbnails. Default: those of type IMAGE. */
  image_columns?(): readonly string[]
  /**
   * Names the dataset: the same name is ingested into a table once, and goes on after a kill. Without it, every call
   * is new, and appends its rows again.
   */
  readonly name?: string | undefined
  /**
   * The rows are the same in the same order every time, so a run that was killed goes on by skipping those that the
   * table has. Otherwise they are removed and the format begins anew. Means something only together with `name`.
   */
  readonly resumable?: boolean | undefined
}

/**
 * A format whose dataset falls into items (images, episodes, ranges of rows), so that it runs on the worker pool, goes
 * on after a kill, and loses no more than an item to one that is damaged.
 */
export interface ItemFormat<S extends SchemaMap = SchemaMap> extends Format<S> {
  /** `types` are the column types that the caller asks for. */
  feed(types: Schema): Feed
}

export const isItemFormat = (format: Format): format is ItemFormat =>
  typeof (format as Partial<ItemFormat> | null)?.feed === "function"

export type FormatComponent = Component<"format", Format>

export const Format = {
  /**
   * Makes a format known to pipeline documents, as a `type` under `format:`. Export what it gives from the module that
   * a document names under `plugins:`.
   *
   * @throws {ConfigError} for names that documents cannot have.
   * @example
   * ```ts
   * export const squares = Format.define({
   *   type: "squares",
   *   description: "Whole numbers and their squares.",
   *   fields: { count: { type: "integer", min: 1, default: 100, description: "How many of them." } },
   *   make: ({ count }) => ({
   *     name: `squares-${count}`,
   *     *normalize() {
   *       const n = Array.from({ length: count }, (_, i) => i)
   *       yield { n, square: n.map((value) => value ** 2) }
   *     },
   *   }),
   * })
   * ```
   */
  define: <const F extends Fields>(spec: Spec<F, Format, void>): FormatComponent => define("format", spec),
}
