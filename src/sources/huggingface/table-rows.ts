/** Rows of table files of the Hub: Parquet, CSV and JSON. */
import { dirname } from "node:path/posix"
import { featuresOfMetadata } from "../../hub/features.ts"
import { normalizePath } from "../../hub/glob.ts"
import { type Batch, sliceBatch } from "../../model/batch.ts"
import { bytesColumn, isNull, valueAt } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { TableFile } from "../../readers/file.ts"
import { type MediaColumn, planColumns } from "./columns.ts"
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

/** Batches are large enough without: a picture that weighs 4 MiB is one by itself. */
export async function* tableRows(
  session: Session,
  part: Part,
  format: Omit<TableFile, "path">,
  reading: Reading,
): AsyncGenerator<Batch, void, undefined> {
  const [{ describeTable }, { readTable }] = await Promise.all([
    import("../../readers/describe.ts"),
    import("../../readers/read.ts"),
  ])
  yield* withFile(session, part, reading.signal, async function* ({ path }) {
    const table: TableFile = { ...format, path }
    try {
      const { columns: described, footer } = await describeTable(table)
      const features = featuresOfMetadata(footer?.metadata.get("huggingface")) ?? session.resolved.features
      const { columns, media } = planColumns(described, features, session)
      const rows = part.rows !== undefined && format.format === "parquet" && { rows: { start: 0, end: part.rows } }
      for await (const batch of readTable(table, { columns, ...rows, signal: reading.signal })) {
        yield* filled(session, part, batch, media, reading)
      }
    } catch (error) {
      reading.signal.throwIfAborted()
      if (!(error instanceof IngestError)) throw error
      // The name in the cache says nothing to anybody.
      const message = messageOf(error).replaceAll(`${path}: `, "").replaceAll(path, part.file.path)
      throw new IngestError(`${part.file.path}: ${message}`, { cause: error })
    }
  })
}
