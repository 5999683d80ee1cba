/** How many rows a Parquet file of the Hub has, from its last bytes: the file itself is not downloaded. */
import { mkdtemp, open, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Hub, HubFile, Revision } from "../../hub/client.ts"
import { readTail } from "../../hub/tree.ts"
import { IngestError, messageOf } from "../../model/errors.ts"

/** The footers of most files are shorter. */
const TAIL = 64 << 10
/** Length of the footer (4 bytes) and the signature `PAR1`, at the very end (parquet.apache.org/docs/file-format). */
const END = 8

/** @throws {IngestError} when it is no Parquet file. */
export const parquetRows = async (hub: Hub, at: Revision, file: HubFile, signal: AbortSignal): Promise<number> => {
  let tail = await readTail(hub, at, file, Math.min(TAIL, file.size), signal)
  const view = new DataView(tail.buffer, tail.byteOffset)
  const length = tail.length >= END ? view.getUint32(tail.length - END, true) + END : Infinity
  if (length > file.size) throw new IngestError(`${file.path}: expected a Parquet file, found something else`)
  if (length > tail.length) tail = await readTail(hub, at, file, length, signal)

  const { literalPath, withConnection } = await import("../../readers/duckdb.ts")
  const folder = await mkdtemp(join(tmpdir(), "sluice-"))
  try {
    // A file of the same size with nothing but its end: what is not written takes no room.
    const path = join(folder, "footer.parquet")
    const handle = await open(path, "w")
    try {
      await handle.write("PAR1", 0)
      await handle.write(tail, 0, tail.length, file.size - tail.length)
    } finally {
      await handle.close()
    }
    const rows = await withConnection((connection) =>
      connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${literalPath(path)})`),
    )
    return Number(rows.getRowObjectsJS()[0]?.num_rows)
  } catch (error) {
    throw new IngestError(`${file.path}: expected a Parquet file: ${messageOf(error)}`, { cause: error })
  } finally {
    await rm(folder, { recursive: true })
  }
}
