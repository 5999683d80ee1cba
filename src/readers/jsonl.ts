/** JSON Lines: one object a line. Also read in ranges of bytes that begin and end at line breaks. */
import { createReadStream, createWriteStream } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { createInterface } from "node:readline"
import { pipeline } from "node:stream/promises"
import { IngestError } from "../model/errors.ts"
import { isJson, MOST_LEVELS } from "../model/json-text.ts"
import { type ColumnType, layoutOf } from "../model/types.ts"
import { literal, literalPath } from "./duckdb.ts"
import { type ByteRange, type TableFile, unpacked } from "./file.ts"

const OPTIONS = "format='newline_delimited', records=true, hive_partitioning=false"

/**
 * The scan that finds out which keys there are, and of what type: all of the file is looked at, because a key that is
 * not known would be left out without a word. Three levels deep: lists of numbers, and whether there are more levels.
 */
export const jsonlSurvey = ({ path }: TableFile): string =>
  `read_json(${literalPath(path)}, ${OPTIONS}, sample_size=-1, maximum_depth=3, map_inference_threshold=-1)`

/** Values as DuckDB hands them over without changing any: numbers as text, because it would round 1.5 to an integer. */
const readAs = (type: ColumnType): string => {
  const layout = layoutOf(type)
  if (layout === "vector" || layout === "floats") return "FLOAT[]"
  if (layout === "vectors") return "FLOAT[][]"
  return type.name === "JSON" ? "JSON" : "VARCHAR"
}

/** `columns` are the keys to read and what they are to become. */
export const jsonlScan = ({ path }: TableFile, columns: ReadonlyMap<string, ColumnType>): string => {
  const keys = [...columns].map(([name, type]) => `${literal(name)}: '${readAs(type)}'`)
  return `read_json(${literalPath(path)}, ${OPTIONS}, columns={${keys.join(", ")}})`
}

const SAMPLE = 1 << 20
const BLOCK = 1 << 16
const MOST_BYTES = 64 << 20
const LF = 0x0a

const readAt = async (file: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

/** Where the line ends that holds byte `from`: after its line break, or at `size`. */
const lineEnd = async (file: FileHandle, from: number, size: number): Promise<number> => {
  for (let at = from; at < size; at += BLOCK) {
    const found = (await readAt(file, at, BLOCK)).indexOf(LF)
    if (found >= 0) return at + found + 1
  }
  return size
}

/**
 * Ranges of about `rows` lines (at most 64 MiB) of a file that is not compressed, without a gap. Only the bytes around
 * the ends are read, so that it takes no time on large files.
 */
export async function* lineRanges(path: string, rows: number): AsyncGenerator<ByteRange, void, undefined> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const sample = await readAt(file, 0, SAMPLE)
    const lines = sample.reduce((count, byte) => (byte === LF ? count + 1 : count), 0)
    const step = Math.min(MOST_BYTES, Math.ceil((sample.length / Math.max(1, lines)) * rows))
    for (let start = 0; start < size; ) {
      // A short rest goes with the range before it.
      const end = start + step * 1.25 >= size ? size : await lineEnd(file, start + step - 1, size)
      yield { start, end }
      start = end
    }
  } finally {
    await file.close()
  }
}

/** Copies a range into a file of its own: DuckDB reads files, and only whole ones. */
export const copyRange = (from: string, { start, end }: ByteRange, to: string): Promise<void> =>
  pipeline(createReadStream(from, { start, end: end - 1, highWaterMark: 1 << 20 }), createWriteStream(to))

/** How many lines end before byte `end`. */
export const linesBefore = async (path: string, end: number): Promise<number> => {
  if (end === 0) return 0
  let lines = 0
  for await (const bytes of unpacked(path, { start: 0, end })) {
    for (const byte of bytes as Uint8Array) if (byte === LF) lines++
  }
  return lines
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Brackets and braces differ in this bit alone. */
const ROUND = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d

/** Whether a line has so many lists and objects that they could be nested too deep: a look that costs little. */
const mayBeDeep = async (path: string): Promise<boolean> => {
  let length = 0
  let opened = 0
  for await (const chunk of unpacked(path)) {
    const bytes: Buffer = chunk
    for (let at = 0; at < bytes.length; ) {
      const line = bytes.indexOf(LF, at)
      const end = line < 0 ? bytes.length : line
      length += end - at
      // Each level takes two bytes, so a short line needs no look.
      if (line < 0 || length > 2 * MOST_LEVELS) {
        for (let i = at; i < end; i++) if (((bytes[i] ?? 0) | ROUND) === OPEN) opened++
      }
      if (opened > MOST_LEVELS) return true
      if (line >= 0) length = opened = 0
      at = end + 1
    }
  }
  return false
}

/**
 * DuckDB looks for the keys of a file by recursion: some ten thousand levels of lists end the process (measured: 10,000
 * do not, 30,000 do; with the smaller stacks of other systems, less).
 *
 * @throws {IngestError} for a line with more levels than are read.
 */
export const checkNesting = async (path: string): Promise<void> => {
  if (!(await mayBeDeep(path))) return
  let line = 1
  let depth = 0
  let inText = false
  let escaped = false
  for await (const bytes of unpacked(path)) {
    for (const byte of bytes as Uint8Array) {
      if (byte === LF) {
        line++
        depth = 0
        inText = false
        escaped = false
      } else if (inText) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inText = false
      } else if (byte === QUOTE) inText = true
      else if ((byte | ROUND) === OPEN && ++depth > MOST_LEVELS) {
        throw new IngestError(`line ${line}: expected at most ${MOST_LEVELS} levels of lists and objects, found more`)
      } else if ((byte | ROUND) === CLOSE) depth--
    }
  }
}

/** DuckDB takes numbers that JSON does not have. */
const NUMBERS = /-?\b(?:nan|inf(?:inity)?)\b/gi

/** The first line (from 1) that is no JSON, counted from the start of the range; undefined when all are. */
export const malformedLine = async (path: string, range?: ByteRange): Promise<number | undefined> => {
  let line = 0
  for await (const text of createInterface({ input: unpacked(path, range), crlfDelay: Infinity })) {
    line++
    if (text.trim() !== "" && !isJson(text) && !isJson(text.replaceAll(NUMBERS, "0"))) return line
  }
  return undefined
}
