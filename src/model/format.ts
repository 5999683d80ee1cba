/** The contract of a format: anyone's class that yields a dataset layout as column batches. */
import type { SchemaMap } from "./types.ts"

/** Column names and their values, one array entry (or typed array entry) a row. */
export type Columns = Readonly<Record<string, ArrayLike<unknown>>>

export interface Format {
  /** Yields batches: columns of equal length, the same names in every batch. */
  normalize(): Iterable<Columns> | AsyncIterable<Columns>
  /** Column types that inference could not know. */
  schema?(): SchemaMap
  /** The same as PostgreSQL domain names; kept for classes written for the SDK that Sluice re-creates. */
  pg_schema?(): Readonly<Record<string, string>>
  /** Columns that get thumbnails. Default: those of type IMAGE. */
  image_columns?(): readonly string[]
}
