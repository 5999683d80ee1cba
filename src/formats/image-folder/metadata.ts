/**
 * `metadata.csv`, `metadata.jsonl` or `metadata.parquet`: a row for each picture, named by `file_name` relative to the
 * file, as the Hugging Face Hub has them (https://huggingface.co/docs/datasets/image_dataset).
 */
import { isAbsolute, join, posix as paths, win32 } from "node:path"
import { type Column, valueAt } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { Plain } from "../../model/item.ts"
import { checkColumnName } from "../../model/rows.ts"
import type { ColumnType, Schema } from "../../model/types.ts"

export const isMetadata = (name: string): boolean => /^metadata\.(csv|jsonl|parquet)$/.test(name)

const FILE_NAME = "file_name"
/** Columns that the format makes itself. */
const OWN: readonly string[] = ["image", "filename"]

export interface MetadataColumn {
  /** Name in the table. */
  readonly name: string
  readonly type: ColumnType
}

export interface MetadataRow {
  /** Where the row is, for messages. */
  readonly place: string
  /** Path of the picture, relative to the dataset; or why there is none. */
  readonly file: { readonly path: string } | { readonly problem: string }
  readonly columns: readonly MetadataColumn[]
  /** In the order of `columns`; integers beyond 2^53 as text. */
  readonly values: readonly Plain[]
}

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i

/** @returns what is wrong with the path that a row names; undefined when nothing is. */
const pathProblem = (path: unknown): string | undefined => {
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    return `expected the path of a picture, found ${JSON.stringify(path)}`
  }
  const found = `expected a path relative to the file and inside of its folder, found ${JSON.stringify(path)}`
  if (URL_LIKE.test(path)) return `${found}, a URL`
  if (isAbsolute(path) || win32.isAbsolute(path)) return `${found}, which is absolute`
  return path.split(/[/\\]/).includes("..") ? `${found}, which goes up with ".."` : undefined
}

const plainAt = (column: Column, row: number, place: string, name: string): Plain => {
  const value = valueAt(column, row)
  if (value instanceof Uint8Array) {
    throw new IngestError(`${place}: column ${JSON.stringify(name)} holds bytes; metadata is numbers, texts and lists`)
  }
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (typeof value !== "object" || value === null) return value
  return value instanceof Float32Array ? Array.from(value) : value.map((vector) => Array.from(vector))
}

/** Names and types in the table; `asked` are the types that the caller wants. */
const columnsOf = (
  file: string,
  described: readonly { readonly name: string; readonly type: ColumnType }[],
  asked: Schema,
): readonly (MetadataColumn & { readonly source: string })[] => {
  const columns = described.map(({ name: source, type }) => {
    const name = source.replaceAll(/[.`]/g, "_")
    try {
      checkColumnName(name)
    } catch (error) {
      throw new IngestError(`${file}: ${messageOf(error)}`, { cause: error })
    }
    return { name, source, type: source === FILE_NAME ? ({ name: "TEXT" } as const) : (asked.get(name) ?? type) }
  })
  if (!columns.some(({ source }) => source === FILE_NAME)) {
    const names = columns.map(({ source }) => JSON.stringify(source)).join(", ")
    throw new IngestError(`${file}: expected a column "${FILE_NAME}" with the paths of the pictures, found ${names}`)
  }
  const taken = columns.find(({ name }) => OWN.includes(name))
  if (taken) {
    throw new IngestError(
      `${file}: the column ${JSON.stringify(taken.source)} has the name of one that this format makes; rename it`,
    )
  }
  return columns
}

/**
 * The rows of a metadata file, in its order. Main thread only.
 *
 * @param dir the dataset, absolute; `file` is relative to it.
 * @throws {IngestError} when the file cannot be read, or has no column `file_name`.
 */
export async function* readMetadata(
  dir: string,
  file: string,
  asked: Schema,
  signal: AbortSignal,
): AsyncGenerator<MetadataRow, void, undefined> {
  const [{ describeTable }, { readTable }, { formatOfName }] = await Promise.all([
    import("../../readers/describe.ts"),
    import("../../readers/read.ts"),
    import("../../readers/file.ts"),
  ])
  const format = formatOfName(file)
  if (!format) throw new Error(`${file} is no metadata file`)
  const table = { path: join(dir, file), format }
  const all = columnsOf(file, (await describeTable(table)).columns, asked)
  const columns = all.filter(({ source }) => source !== FILE_NAME).map(({ name, type }) => ({ name, type }))
  const wanted = all.map(({ name, source, type }) => ({ name: source, as: name, type }))
  let row = 0
  for await (const batch of readTable(table, { columns: wanted, signal })) {
    const names = batch.columns.get(FILE_NAME)
    for (let at = 0; at < batch.rows; at++, row++) {
      const place = `${file}, row ${row}`
      const name = names ? valueAt(names, at) : null
      const problem = pathProblem(name)
      yield {
        place,
        file: problem === undefined ? { path: paths.join(paths.dirname(file), String(name)) } : { problem },
        columns,
        values: columns.map((column) => {
          const values = batch.columns.get(column.name)
          return values ? plainAt(values, at, place, column.name) : null
        }),
      }
    }
  }
}
