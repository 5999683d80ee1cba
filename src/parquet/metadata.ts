/** What a Parquet file of ours says of its columns, besides Parquet's own schema: to `datasets`, and to Sluice. */
import { TableError } from "../model/errors.ts"
import { type ColumnType, formatType, parseType, type Schema } from "../model/types.ts"
import { featuresOf } from "./features.ts"

/** The key of what only Sluice reads: `{"columns":{name:{"type":"CLASS_LABEL","names":[...]}}}`. */
export const SLUICE_KEY = "sluice"

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

/** The key-value metadata of a file with these columns; `more` is Sluice's too. */
export const fileMetadata = (schema: Schema, more: object = {}): Readonly<Record<string, string>> => ({
  huggingface: JSON.stringify({ info: { features: featuresOf(schema) } }),
  [SLUICE_KEY]: JSON.stringify({
    columns: Object.fromEntries([...schema].map(([name, type]) => [name, stored(type)])),
    ...more,
  }),
})

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
