/** What a Parquet file of ours says of its columns besides Parquet's own schema: to Arrow, to `datasets`, to Sluice. */
import { type ColumnType, formatType, parseType, type Schema } from "../model/types.ts"
import { arrowSchema } from "./arrow-schema.ts"
import { featuresOf } from "./features.ts"

/** The key of what only Sluice reads: `{"columns":{name:{"type":"CLASS_LABEL","names":[...]}}}`. */
export const SLUICE_KEY = "sluice"

/** The key of notes that a writer leaves for itself. */
export const NOTES_KEY = "sluice:notes"

interface StoredColumn {
  readonly type: string
  readonly names?: readonly string[]
  readonly blob?: true
}

const stored = (type: ColumnType): StoredColumn => ({
  type: formatType(type),
  ...(type.names && { names: type.names }),
  ...(type.blob && { blob: type.blob }),
})

export interface FileFacts {
  readonly schema: Schema
  /** Columns with nulls. */
  readonly withNulls: ReadonlySet<string>
  /** What the writer wants to be kept besides. */
  readonly notes?: object
}

/** The key-value metadata of a file. Arrow's readers show what is in Arrow's schema only, so the rest is there too. */
export const fileMetadata = ({ schema, withNulls, notes }: FileFacts): Readonly<Record<string, string>> => {
  const metadata = {
    huggingface: JSON.stringify({ info: { features: featuresOf(schema) } }),
    [SLUICE_KEY]: JSON.stringify({
      columns: Object.fromEntries([...schema].map(([name, type]) => [name, stored(type)])),
    }),
  }
  return {
    "ARROW:schema": arrowSchema(schema, withNulls, metadata),
    ...metadata,
    ...(notes && { [NOTES_KEY]: JSON.stringify(notes) }),
  }
}

/**
 * The columns that the value of {@link SLUICE_KEY} tells of; undefined when it is no such value. A tool that changed
 * the file since may have kept it, so what it says of a column holds as long as the column is stored so.
 */
export const schemaIn = (metadata: string | undefined): Schema | undefined => {
  if (metadata === undefined) return undefined
  let columns: Readonly<Record<string, StoredColumn>> | undefined
  try {
    columns = (JSON.parse(metadata) as { readonly columns?: Readonly<Record<string, StoredColumn>> }).columns
  } catch {
    // Another tool's, under the same name.
    return undefined
  }
  if (!columns) return undefined
  return new Map(
    Object.entries(columns).map(([name, { type, names, blob }]) => [
      name,
      { ...parseType(type, name), ...(names && { names }), ...(blob && { blob }) },
    ]),
  )
}
