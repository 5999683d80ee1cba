/**
 * Writes batches as one Parquet file, row group by row group.
 *
 * Batches are cut, or put together, to pages of about a MiB, and a row group is closed when it holds so many rows or
 * bytes; so what is in memory does not depend on how long the file gets. Why this is not left to a library: docs/decisions/0011.
 */
import { type FileHandle, open } from "node:fs/promises"
import { type Batch, batchBytes, concatBatches, sliceBatch } from "../model/batch.ts"
import { nullColumn } from "../model/column.ts"
import type { Schema } from "../model/types.ts"
import { Chunk } from "./chunk.ts"
import { fileMetadata } from "./metadata.ts"
import { pagesOf } from "./page.ts"
import { leavesOf, schemaElements } from "./schema.ts"
import { encode, i32, i64, list, struct, type Thrift, text } from "./thrift.ts"

const MAGIC = Buffer.from("PAR1")
/** Version 1 of the format has all that is used here, and everything reads it. */
const VERSION = 1

/** A row group ends at the first of these: a reader holds one of them, decoded, in memory. */
const GROUP_ROWS = 131_072
const GROUP_BYTES = 64 << 20
/** What a page of each column has on the average, and rows that it has at most. */
const PAGE_BYTES = 1 << 20
const PAGE_ROWS = 65_536

export interface CloseOptions {
  /** Kept in the file's metadata, for Sluice to read. */
  readonly notes?: object
  /** Wait until the file would survive a loss of power. */
  readonly sync?: boolean
}

export interface ParquetFile {
  /** Rows and bytes so far; bytes of rows that are not yet on disk are counted before compression. */
  readonly rows: number
  readonly bytes: number
  /** Adds rows. Columns that the batch lacks are null; it must have no others. Calls must not overlap. */
  write(batch: Batch): Promise<void>
  /** Writes what is left, and the footer. */
  close(options?: CloseOptions): Promise<void>
  /** Closes the file as it is, which is none that could be read. */
  abort(): Promise<void>
}

/** A write may end early, at 2 GiB for one. */
const writeAll = async (file: FileHandle, parts: readonly Uint8Array[]): Promise<void> => {
  let rest = parts.filter((part) => part.length > 0)
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest)
    let whole = 0
    for (; whole < rest.length && bytesWritten >= (rest[whole]?.length ?? 0); whole++) {
      bytesWritten -= rest[whole]?.length ?? 0
    }
    const cut = rest[whole]
    rest = rest.slice(whole)
    if (cut && bytesWritten > 0) rest[0] = cut.subarray(bytesWritten)
  }
}

const le32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/**
 * Begins a Parquet file, which must not exist yet.
 *
 * @example
 * ```ts
 * const file = await createParquet("out.parquet", new Map([["n", { name: "INT32" }]]))
 * await file.write(batchOf({ n: int32Column([1, 2]) }))
 * await file.close()
 * ```
 */
export const createParquet = async (path: string, schema: Schema): Promise<ParquetFile> => {
  const file = await open(path, "wx")
  const newGroup = (): readonly (readonly Chunk[])[] =>
    [...schema].map(([name, type]) => leavesOf(name, type).map((leaf) => new Chunk(leaf, type)))
  const groups: Thrift[] = []
  const withNulls = new Set<string>()
  let group = newGroup()
  let groupRows = 0
  let groupBytes = 0
  /** Batches that are too small for a page each. */
  let waiting: Batch[] = []
  let waitingRows = 0
  let waitingBytes = 0
  let rows = 0
  let offset = 0

  const append = async (parts: readonly Uint8Array[]): Promise<void> => {
    await writeAll(file, parts)
    for (const part of parts) offset += part.length
  }

  const endGroup = async (): Promise<void> => {
    if (groupRows === 0) return
    const start = offset
    const chunks = group.flat()
    let next = start
    const columns = chunks.map((chunk) => {
      const at = next
      next += chunk.bytes
      return chunk.describe(at)
    })
    await append(chunks.flatMap((chunk) => chunk.parts))
    const rawBytes = chunks.reduce((sum, chunk) => sum + chunk.rawBytes, 0)
    groups.push(
      struct([1, list(columns)], [2, i64(rawBytes)], [3, i64(groupRows)], [5, i64(start)], [6, i64(offset - start)]),
    )
    group = newGroup()
    groupRows = 0
    groupBytes = 0
  }

  const add = async (batch: Batch): Promise<void> => {
    // Compression of the columns runs side by side, on the threads of Node's pool.
    await Promise.all(
      [...schema].map(async ([name, type], column) => {
        const pages = pagesOf(batch.columns.get(name) ?? nullColumn(type, batch.rows))
        if (pages.some(({ nulls }) => nulls > 0)) withNulls.add(name)
        for (const [leaf, page] of pages.entries()) await group[column]?.[leaf]?.add(page)
      }),
    )
    groupRows += batch.rows
    groupBytes += batchBytes(batch)
    if (groupRows >= GROUP_ROWS || groupBytes >= GROUP_BYTES) await endGroup()
  }

  const addWaiting = async (): Promise<void> => {
    const batch = concatBatches(waiting)
    const pieces = Math.ceil(Math.max(waitingBytes / (PAGE_BYTES * schema.size), batch.rows / PAGE_ROWS))
    waiting = []
    waitingRows = 0
    waitingBytes = 0
    const step = Math.ceil(batch.rows / pieces)
    for (let start = 0; start < batch.rows; start += step) {
      await add(sliceBatch(batch, start, Math.min(start + step, batch.rows)))
    }
  }

  try {
    await append([MAGIC])
  } catch (error) {
    await file.close()
    throw error
  }

  return {
    get rows() {
      return rows
    },
    get bytes() {
      return offset + groupBytes + waitingBytes
    },
    write: async (batch) => {
      if (batch.rows === 0) return
      waiting.push(batch)
      waitingRows += batch.rows
      waitingBytes += batchBytes(batch)
      rows += batch.rows
      if (waitingRows >= PAGE_ROWS || waitingBytes >= PAGE_BYTES * schema.size) await addWaiting()
    },
    close: async ({ notes, sync = false } = {}) => {
      try {
        if (waiting.length > 0) await addWaiting()
        await endGroup()
        const metadata = fileMetadata({ schema, withNulls, ...(notes && { notes }) })
        const footer = encode(
          struct(
            [1, i32(VERSION)],
            [2, list(schemaElements(schema))],
            [3, i64(rows)],
            [4, list(groups)],
            [5, list(Object.entries(metadata).map(([key, value]) => struct([1, text(key)], [2, text(value)])))],
            [6, text("sluice")],
            // Without it readers do not trust the bounds of columns: each is ordered as its type is.
            [7, list(group.flat().map(() => struct([1, struct()])))],
          ),
        )
        await append([footer, le32(footer.length), MAGIC])
        if (sync) await file.datasync()
      } finally {
        await file.close()
      }
    },
    abort: () => file.close(),
  }
}
