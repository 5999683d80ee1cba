/** A table in a file, and whether it is one. */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs"
import { type Duplex, Readable } from "node:stream"
import { createGunzip, createZstdDecompress } from "node:zlib"
import { checkPointer, POINTER_BYTES } from "../media/lfs.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import { MOST_LEVELS } from "../model/json-text.ts"
import { parquetDepth } from "./parquet-depth.ts"

export type TableFormat = "parquet" | "csv" | "tsv" | "jsonl"

export interface TableFile {
  /** Path of a local file. CSV, TSV and JSONL may be compressed (`.gz`, `.zst`). */
  readonly path: string
  readonly format: TableFormat
  /** What stands between the values of a CSV file. Default: of `,`, `;`, tab and `|`, what its first line has most of. */
  readonly delimiter?: string
  /** The first line of a CSV or TSV file has the names of the columns. Default true; otherwise they are `column_0`, ... */
  readonly header?: boolean
}

const EXTENSIONS: Readonly<Record<string, TableFormat>> = {
  parquet: "parquet",
  geoparquet: "parquet",
  csv: "csv",
  tsv: "tsv",
  jsonl: "jsonl",
  ndjson: "jsonl",
}

/** For messages. */
export const TABLE_NAMES = ".parquet, .csv, .tsv, .jsonl, .ndjson; text also with .gz or .zst"

/** The format that a file's name says; undefined for other names. */
export const formatOfName = (path: string): TableFormat | undefined => {
  const [, extension = "", packed] = /\.([a-z]+)(\.(?:gz|zst))?$/.exec(path.toLowerCase()) ?? []
  const format = EXTENSIONS[extension]
  return format === "parquet" && packed ? undefined : format
}

/** Bytes from `start` up to `end` (exclusive). */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Compressed data that is cut off or damaged, in zlib's words or zstd's. */
const isDamage = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && /^(Z_|ZSTD_)/.test(String(error.code))

async function* unpack(file: Readable, unpacker: Duplex): AsyncGenerator<Uint8Array> {
  file.on("error", (error) => unpacker.destroy(error))
  unpacker.on("close", () => file.destroy())
  try {
    yield* file.pipe(unpacker)
  } catch (error) {
    if (!isDamage(error)) throw error
    throw new IngestError(
      `Expected compressed data, found some that cannot be unpacked (${error.message}): the file is cut off or damaged`,
      { cause: error },
    )
  }
}

/** The bytes of a file, or of a range of it, unpacked. It fails with an IngestError where these are damaged. */
export const unpacked = (path: string, range?: ByteRange): Readable => {
  const part = range && { start: range.start, end: range.end - 1 }
  const file = createReadStream(path, { highWaterMark: 1 << 18, ...part })
  const packed = path.toLowerCase()
  if (packed.endsWith(".gz")) return Readable.from(unpack(file, createGunzip()), { objectMode: false })
  return packed.endsWith(".zst") ? Readable.from(unpack(file, createZstdDecompress()), { objectMode: false }) : file
}

export const isCompressed = (path: string): boolean => /\.(gz|zst)$/i.test(path)

const open = (path: string): number => {
  try {
    return openSync(path, "r")
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT"
    throw missing ? new IngestError(`File not found: ${path}`, { cause: error }) : error
  }
}

/** Parquet files begin and end with these (https://parquet.apache.org/docs/file-format/). */
const MAGIC = "PAR1"
const ENCRYPTED = "PARE"

const checkParquet = (size: number, head: Uint8Array, tail: Uint8Array): void => {
  const [first, last] = [head.subarray(0, 4), tail].map((bytes) => Buffer.from(bytes).toString("latin1"))
  if (last === ENCRYPTED) throw new IngestError("Expected a Parquet file, found an encrypted one")
  if (first !== MAGIC) {
    throw new IngestError(
      `Expected a Parquet file (it begins with ${MAGIC}), found one that begins with ${JSON.stringify(first)}`,
    )
  }
  if (last !== MAGIC || size < 12) {
    throw new IngestError(
      `The Parquet file is cut off: expected ${MAGIC} at its end, found ${JSON.stringify(last)} (${size} bytes). Download or write it again`,
    )
  }
}

/** `tail` are the last eight bytes: the length of the footer, and the magic. */
const checkDepth = (descriptor: number, size: number, tail: Uint8Array): void => {
  const length = Buffer.from(tail).readUInt32LE(0)
  if (length > size - 12) return
  const footer = new Uint8Array(length)
  readSync(descriptor, footer, 0, length, size - 8 - length)
  const depth = parquetDepth(footer)
  if (depth > MOST_LEVELS) {
    throw new IngestError(`expected columns of at most ${MOST_LEVELS} levels, found one of ${depth}`)
  }
}

/**
 * @throws {IngestError} when the file is missing, empty, a Git LFS pointer, or not what its format says.
 */
export const checkTableFile = ({ path, format }: TableFile): void => {
  const descriptor = open(path)
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw new IngestError("Expected a regular file, found something else")
    if (stats.size === 0) throw new IngestError("Expected a table, found an empty file (0 bytes)")
    const head = new Uint8Array(Math.min(stats.size, POINTER_BYTES))
    readSync(descriptor, head, 0, head.length, 0)
    checkPointer(head)
    if (format !== "parquet") return
    const tail = new Uint8Array(Math.min(stats.size, 8))
    readSync(descriptor, tail, 0, tail.length, stats.size - tail.length)
    checkParquet(stats.size, head, tail.subarray(-4))
    checkDepth(descriptor, stats.size, tail)
  } catch (error) {
    throw new IngestError(`${path}: ${messageOf(error)}`, { cause: error })
  } finally {
    closeSync(descriptor)
  }
}
