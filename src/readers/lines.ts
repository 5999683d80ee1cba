/** Lines that DuckDB does not survive, or passes over without a word: they are found before it reads, or beside it. */
import { open } from "node:fs/promises"
import { IngestError } from "../model/errors.ts"
import { formatBytes } from "../model/units.ts"
import { isCompressed, type TableFile, unpacked } from "./file.ts"

const LF = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** `[` and `{` differ in one bit, and so do `]` and `}`. */
const OPEN = 0x5b
const CLOSE = 0x5d
const CURLY = 0x20

/** DuckDB finds out types by recursion: 200,000 levels end the process, on threads with small stacks far fewer. */
const MOST_LEVELS = 1000
/** A shorter line has no room for more levels: each has a beginning and an end. */
const SUSPICIOUS = 2 * MOST_LEVELS

/** Whether there are as many beginnings of levels at all; most long lines are long lists or texts. */
const mayBeDeep = (line: Buffer): boolean => {
  let found = 0
  for (const begin of [OPEN, OPEN | CURLY]) {
    for (let at = line.indexOf(begin); at >= 0; at = line.indexOf(begin, at + 1)) {
      if (++found > MOST_LEVELS) return true
    }
  }
  return false
}

/** Follows one line, whose pieces it is given. */
const newLevels = () => {
  let level = 0
  let inText = false
  let escaped = false
  return (bytes: Uint8Array): boolean => {
    for (const byte of bytes) {
      if (escaped) escaped = false
      else if (inText) {
        if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inText = false
      } else if (byte === QUOTE) inText = true
      else if ((byte & ~CURLY) === OPEN) {
        if (++level > MOST_LEVELS) return false
      } else if ((byte & ~CURLY) === CLOSE) level--
    }
    return true
  }
}

/** @throws {IngestError} for a file of JSON Lines with a line that is nested too deeply. */
export const checkLevels = async ({ path }: TableFile): Promise<void> => {
  const check = (follow: (bytes: Uint8Array) => boolean, bytes: Uint8Array): void => {
    if (follow(bytes)) return
    throw new IngestError(`Expected JSON of at most ${MOST_LEVELS} levels in a line, found more`)
  }
  /** Of a line that is longer than what has been read. */
  let long: ReturnType<typeof newLevels> | undefined
  /** The beginning of a line that is short so far. */
  let rest: Uint8Array = new Uint8Array(0)
  for await (const read of unpacked(path) as AsyncIterable<Buffer>) {
    const bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, read]) : read
    let at = 0
    if (long) {
      const end = bytes.indexOf(LF)
      check(long, bytes.subarray(0, end < 0 ? bytes.length : end))
      rest = new Uint8Array(0)
      if (end < 0) continue
      long = undefined
      at = end + 1
    }
    // From one line break to the last one that is within reach: no line in between is long enough to be looked at.
    while (bytes.length - at > SUSPICIOUS) {
      const last = bytes.lastIndexOf(LF, at + SUSPICIOUS)
      if (last >= at) {
        at = last + 1
        continue
      }
      const end = bytes.indexOf(LF, at + SUSPICIOUS)
      const line = bytes.subarray(at, end < 0 ? bytes.length : end)
      if (end < 0) long = newLevels()
      if (end < 0 || mayBeDeep(line)) check(long ?? newLevels(), line)
      at = end < 0 ? bytes.length : end + 1
    }
    rest = bytes.subarray(at)
  }
}

/** DuckDB's limit for a line, see `csv.ts`; it says nothing of a line of 256 MB and more that the file ends with. */
const MOST_BYTES = 16 << 20
const BLOCK = 1 << 18

const tooLong = (): IngestError =>
  new IngestError(
    `Expected lines of at most ${formatBytes(MOST_BYTES)}, found a longer one at the end: the file was cut off, or is no table`,
  )

const CR = 0x0d
const lastOfLine = (byte: number): boolean => byte !== LF && byte !== CR

/**
 * @param signal aborted when nobody wants to know any more.
 * @throws {IngestError} for a file of CSV that ends in a line that DuckDB would leave out.
 */
export const checkLastLine = async ({ path }: TableFile, signal: AbortSignal): Promise<void> => {
  if (isCompressed(path)) {
    let length = 0
    for await (const bytes of unpacked(path) as AsyncIterable<Buffer>) {
      const last = bytes.lastIndexOf(LF)
      length = last < 0 ? length + bytes.length : bytes.length - last - 1
      if (length > MOST_BYTES) throw tooLong()
      if (signal.aborted) return
    }
    return
  }
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
      const last = lineEnd === undefined ? bytes.findLastIndex(lastOfLine) : bytes.length - 1
      if (last < 0) continue
      lineEnd ??= start + last + 1
      if (bytes.lastIndexOf(LF, last) >= 0) return
      if (lineEnd - start > MOST_BYTES) throw tooLong()
    }
  } finally {
    await file.close()
  }
}
