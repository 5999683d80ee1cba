/** What a Parquet file of ours says of its columns besides Parquet's own schema: to Arrow, to `datasets`, to Sluice. */
import { TableError } from "../model/errors.ts"
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
 * The columns that the value of {@link SLUICE_KEY} tells of.
 *
 * @throws {TableError} when it tells nothing of the kind; `file` is for the message.
 */
export const schemaFrom = (metadata: string, file: string): Schema => {
  const { columns } = JSON.parse(metadata) as { readonly columns?: Readonly<Record<string, StoredColumn>> }
  if (!columns) {
    throw new TableError(`${file}: expected the types of its columns under the key "${SLUICE_KEY}" of its metadata`)
  }
  return new Map(
    Object.entries(columns).map(([name, { type, names, blob }]) => [
      name,
      { ...parseType(type, name), ...(names && { names }), ...(blob && { blob }) },
    ]),
  )
}
