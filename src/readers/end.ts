/** What DuckDB passes over without a word at the end of a file: it is looked for beside the reading. */
import { open } from "node:fs/promises"
import { IngestError } from "../model/errors.ts"
import { formatBytes } from "../model/units.ts"
import { isCompressed, type TableFile, unpacked } from "./file.ts"

const LF = 0x0a
const CR = 0x0d

/** DuckDB's limit for a line, see `csv.ts`; it says nothing of a line of 256 MB and more that the file ends with. */
const MOST_BYTES = 16 << 20
const BLOCK = 1 << 18

const tooLong = (): IngestError =>
  new IngestError(
    `Expected lines of at most ${formatBytes(MOST_BYTES)}, found a longer one at the end: the file was cut off, or is no table`,
  )

/**
 * Unpacks a compressed file to its end, and keeps nothing of it. DuckDB takes what there is of one that is cut off for
 * all of it, and does not compare checksums.
 *
 * @param most bytes of a line.
 * @throws {IngestError} when it is cut off or damaged, or has a longer line.
 */
export const checkCompressed = async (
  path: string,
  signal?: AbortSignal,
  most: number = Number.POSITIVE_INFINITY,
): Promise<void> => {
  let length = 0
  for await (const bytes of unpacked(path) as AsyncIterable<Buffer>) {
    signal?.throwIfAborted()
    const last = bytes.lastIndexOf(LF)
    length = last < 0 ? length + bytes.length : bytes.length - last - 1
    if (length > most) throw tooLong()
  }
}

const isOfLine = (byte: number): boolean => byte !== LF && byte !== CR

const checkLastLine = async (path: string): Promise<void> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(BLOCK)
    /** Where the last line ends, once that has been seen. */
    let lineEnd: number | undefined
    for (let end = size; end > 0; end -= BLOCK) {
      const start = Math.max(0, end - BLOCK)
      const { bytesRead } = await file.read(buffer, 0, end - start, start)
      const bytes = buffer.subarray(0, bytesRead)
      const last = lineEnd === undefined ? bytes.findLastIndex(isOfLine) : bytes.length - 1
      if (last < 0) continue
      lineEnd ??= start + last + 1
      if (bytes.lastIndexOf(LF, last) >= 0) return
      if (lineEnd - start > MOST_BYTES) throw tooLong()
    }
  } finally {
    await file.close()
  }
}

/**
 * @throws {IngestError} when the file's compression is cut off or damaged, or it is CSV and ends in a line that DuckDB
 * would leave out.
 */
export const checkEnd = async ({ path, format }: TableFile, signal?: AbortSignal): Promise<void> => {
  const isCsv = format === "csv" || format === "tsv"
  if (isCompressed(path)) await checkCompressed(path, signal, isCsv ? MOST_BYTES : undefined)
  else if (isCsv) await checkLastLine(path)
}
