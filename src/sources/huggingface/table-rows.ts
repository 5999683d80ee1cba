/** Rows of table files of the Hub: Parquet, CSV and JSON. */
import { rm } from "node:fs/promises"
import { dirname } from "node:path/posix"
import { type Features, featuresOfMetadata } from "../../hub/features.ts"
import { normalizePath } from "../../hub/glob.ts"
import { type Batch, sliceBatch } from "../../model/batch.ts"
import { bytesColumn, type Column, isNull, nullColumn, valueAt } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { columnOf } from "../../model/infer.ts"
import type { ColumnType } from "../../model/types.ts"
import type { AskedTypes } from "../../readers/describe.ts"
import { formatOfName, type TableFile } from "../../readers/file.ts"
import type { ParquetFooter, RowRange } from "../../readers/parquet.ts"
import { type ColumnPlan, columnName, featureType, type MediaColumn, planColumns } from "./columns.ts"
import { asLines } from "./json-lines.ts"
import { type Part, type Reading, readFiles, type Session, withFile } from "./session.ts"

/** Rows whose files are fetched together. */
const FETCHED_ROWS = 64

const missing = (batch: Batch, { bytes, path }: MediaColumn): boolean => {
  const [data, from] = [batch.columns.get(bytes), batch.columns.get(path)]
  if (!data?.valid || !from) return false
  for (let row = 0; row < batch.rows; row++) if (isNull(data, row) && !isNull(from, row)) return true
  return false
}

/**
 * Bytes that a file does not have itself, from where its path leads in the repository: from the root, or from the
 * folder of the table. `datasets` writes such rows only for files that were not uploaded with it, so most are nowhere.
 */
const fill = async (
  session: Session,
  { file }: Part,
  batch: Batch,
  { bytes, path }: MediaColumn,
  reading: Reading,
): Promise<Batch> => {
  const [data, from] = [batch.columns.get(bytes), batch.columns.get(path)]
  if (!data || !from) return batch
  const paths = Array.from({ length: batch.rows }, (_, row) => {
    const text = isNull(data, row) ? valueAt(from, row) : null
    if (typeof text !== "string" || text === "") return undefined
    const places = [normalizePath(text), normalizePath(`${dirname(file.path)}/${text}`)]
    const place = places.find((one) => one !== undefined && session.tree.has(one))
    if (place === undefined) reading.partial(`${bytes}: ${JSON.stringify(text)} is not in the dataset`)
    return place
  })
  const read = await readFiles(session, paths, reading)
  const values = read.map((found, row) => found ?? (valueAt(data, row) as Uint8Array | null))
  return { rows: batch.rows, columns: new Map([...batch.columns, [bytes, bytesColumn(values, data.type)]]) }
}

async function* filled(
  session: Session,
  part: Part,
  batch: Batch,
  media: readonly MediaColumn[],
  reading: Reading,
): AsyncGenerator<Batch> {
  const lacking = media.filter((column) => missing(batch, column))
  if (lacking.length === 0) {
    yield batch
    return
  }
  for (let start = 0; start < batch.rows; start += FETCHED_ROWS) {
    let slice = sliceBatch(batch, start, Math.min(start + FETCHED_ROWS, batch.rows))
    for (const column of lacking) slice = await fill(session, part, slice, column, reading)
    yield slice
  }
}

/** Positions in the names, of texts that are names or positions. */
const toLabels = (column: Column, type: ColumnType, name: string): Column => {
  const names = type.names ?? []
  const values = Array.from({ length: column.length }, (_, row) => {
    const text = valueAt(column, row)
    if (text === null) return null
    const position = names.indexOf(String(text))
    if (position >= 0) return position
    if (/^-?\d+$/.test(String(text))) return Number(text)
    throw new IngestError(
      `column ${JSON.stringify(name)}: expected the name of a class (${names.slice(0, 10).join(", ")}${names.length > 10 ? ", ..." : ""}), found ${JSON.stringify(text)}`,
    )
  })
  return columnOf(name, values, type) ?? nullColumn(type, column.length)
}

/** The batch with all columns of the plan, in its order; those of media that have only paths are null so far. */
const arranged = (batch: Batch, { order, media, labels }: ColumnPlan): Batch => {
  const types = new Map(media.map(({ bytes, type }) => [bytes, type]))
  const columns = order.map((name): [string, Column] => {
    const column = batch.columns.get(name) ?? nullColumn(types.get(name) ?? { name: "BINARY" }, batch.rows)
    const label = labels.get(name)
    return [name, label ? toLabels(column, label, name) : column]
  })
  return { rows: batch.rows, columns: new Map(columns) }
}

/** DuckDB hands over so many rows of a row group at a time, however large they are. */
const CHUNK_ROWS = 2048
/** What that many rows may weigh, and what is read at a time where they weigh more. */
const CHUNK_BYTES = 64 << 20
const WINDOW_BYTES = 16 << 20

/**
 * The ranges of rows in which a file is read one after the other: all at once, unless its rows are large and its row
 * groups long. For each range the row group that it lies in is read again, but no more of it is held than the range.
 */
const windows = (footer: ParquetFooter | undefined, limit = Infinity): readonly (RowRange | undefined)[] => {
  if (!footer || footer.rows === 0) return [undefined]
  const end = Math.min(footer.rows, limit)
  const rowBytes = footer.bytes / footer.rows
  const chunk = Math.min(CHUNK_ROWS, footer.rows / footer.rowGroups) * rowBytes
  if (chunk <= CHUNK_BYTES) return end < footer.rows ? [{ start: 0, end }] : [undefined]
  const step = Math.max(1, Math.floor(WINDOW_BYTES / rowBytes))
  return Array.from({ length: Math.ceil(end / step) }, (_, index) => ({
    start: index * step,
    end: Math.min((index + 1) * step, end),
  }))
}

/** What has to be found out about the columns: where the width of lists is known, or of no use, they are not looked at. */
const askedTypes =
  ({ columns, types }: Session, features: Features | undefined): AskedTypes =>
  (name) => {
    if (columns && !columns.includes(name)) return { name: "TEXT" }
    const type = featureType(features?.get(name))
    return types.get(columnName(name)) ?? (type?.name === "EMBEDDING" ? type : undefined)
  }

/** How the file is read; JSON that is one list is made lines first. */
const formatOf = async (session: Session, path: string, tempDir: string): Promise<TableFile> => {
  const { builder, options } = session.resolved
  const delimiter = options.sep ?? options.delimiter
  if (builder === "parquet") return { path, format: "parquet" }
  if (builder === "json") return { path: await asLines(path, tempDir), format: "jsonl" }
  const format = formatOfName(path) ?? "csv"
  return format === "csv" && typeof delimiter === "string" ? { path, format, delimiter } : { path, format }
}

/**
 * Rows of the part's file, of the format that it is of.
 *
 * @throws {IngestError} naming the file, as it is called in the repository.
 */
export async function* tableRows(
  session: Session,
  part: Part,
  reading: Reading,
): AsyncGenerator<Batch, void, undefined> {
  const [{ describeTable, footerOf }, { readTable }] = await Promise.all([
    import("../../readers/describe.ts"),
    import("../../readers/read.ts"),
  ])
  yield* withFile(session, part, reading.signal, async function* ({ path }) {
    let table: TableFile | undefined
    try {
      table = await formatOf(session, path, reading.tempDir)
      const footer = table.format === "parquet" ? await footerOf(table) : undefined
      const features = featuresOfMetadata(footer?.metadata.get("huggingface")) ?? session.resolved.features
      const { columns: described } = await describeTable(table, askedTypes(session, features))
      // A column without any value has the type that other files show.
      const known = described.filter(({ name, unknown }) => !unknown || table?.format === "csv" || features?.has(name))
      const plan = planColumns(known, features, session)
      for (const rows of windows(footer, part.rows)) {
        const options = { columns: plan.columns, ...(rows && { rows }), signal: reading.signal }
        for await (const batch of readTable(table, options)) {
          yield* filled(session, part, arranged(batch, plan), plan.media, reading)
        }
      }
    } catch (error) {
      reading.signal.throwIfAborted()
      if (!(error instanceof IngestError)) throw error
      // The names in the cache say nothing to anybody.
      let message = messageOf(error)
      for (const own of [table?.path ?? path, path]) {
        message = message.replaceAll(`${own}: `, "").replaceAll(own, part.file.path)
      }
      throw new IngestError(`${part.file.path}: ${message}`, { cause: error })
    } finally {
      if (table && table.path !== path) await rm(table.path, { force: true })
    }
  })
}
