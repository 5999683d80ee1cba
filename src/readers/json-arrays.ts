/**
 * Large JSON documents of the form `{ "images": [ {...}, {...} ], "annotations": [ ... ], ... }`, read in one pass
 * without holding more than an element of an array at a time.
 *
 * Only the frame is scanned here: where keys, values and elements begin and end. What is in an element is left to
 * `JSON.parse`, which is native, several times faster than a parser in JavaScript, and strict about every byte of it.
 */
import { open } from "node:fs/promises"
import { fileVersion } from "../media/file-version.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import { MOST_LEVELS } from "../model/json-text.ts"

/** A stretch of a file, in bytes; `end` is exclusive. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Called with each element of an array. `bytes` is its text, valid until the call returns. */
export type Visit = (bytes: Buffer, range: ByteRange, index: number) => void

export interface Scanned {
  /** The fingerprint of the file: see `fileVersion`. */
  readonly version: string
  /** Where the value of each key of the document is. */
  readonly values: ReadonlyMap<string, ByteRange>
}

export interface ScanOptions {
  readonly signal?: AbortSignal
  /** Bytes read at a time. Default 1 MiB. */
  readonly chunk?: number
}

const CHUNK = 1 << 20
/** Larger than any element that is one; what is larger is a file without its brackets. */
const MAX_ELEMENT = 16 << 20

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** What ends a number, true, false or null. */
const isEnd = (byte: number): boolean => byte === COMMA || byte === CLOSE || byte === CLOSE_LIST || isSpace(byte)

/** What may begin a value. */
const isBeginning = (byte: number): boolean => !isEnd(byte) && byte !== COLON

/** What the scanner waits for. */
type Place =
  | "document"
  | "first key"
  | "key"
  | "colon"
  | "value"
  | "after value"
  | "first element"
  | "element"
  | "after element"
  | "nothing"

const EXPECTED: Readonly<Record<Place, string>> = {
  document: '"{", the start of a JSON object',
  "first key": 'a key or "}"',
  key: "a key",
  colon: '":"',
  value: "a value",
  "after value": '"," or "}"',
  "first element": 'an element or "]"',
  element: "an element",
  "after element": '"," or "]"',
  nothing: "nothing more",
}

/** A key, value or element that is being read. */
interface Token {
  readonly start: number
  /** What is held of it from earlier chunks; undefined where nobody asks for its bytes. */
  readonly held: Buffer[] | undefined
}

/** The scanner of one document: takes its bytes in order. */
class Scanner {
  readonly values = new Map<string, ByteRange>()
  readonly #visits: Readonly<Record<string, Visit>>
  #place: Place = "document"
  #token: Token | undefined
  #depth = 0
  #inText = false
  #escaped = false
  #held = 0
  #key = ""
  #valueStart = 0
  #index = 0

  constructor(visits: Readonly<Record<string, Visit>>) {
    this.#visits = visits
  }

  /** @param offset position of the chunk in the document. */
  push(chunk: Buffer, offset: number): void {
    let at = 0
    while (at < chunk.length) {
      if (!this.#token) {
        const byte = chunk[at] ?? 0
        if (isSpace(byte)) at++
        else at += this.#step(byte, offset + at)
        continue
      }
      const from = at
      at = this.#find(chunk, at, offset)
      if (at < 0) {
        this.#hold(this.#token, chunk.subarray(from), offset + from)
        return
      }
      this.#finish(this.#token, chunk.subarray(from, at), offset + at)
    }
  }

  end(offset: number): void {
    if (this.#token || this.#place !== "nothing") {
      throw new Error(`byte ${offset}: the file is cut off: expected ${EXPECTED[this.#place]}, found its end`)
    }
  }

  /** One byte between tokens: gives 1 where it is taken, 0 where a token begins with it. */
  #step(byte: number, position: number): 0 | 1 {
    switch (this.#place) {
      case "document":
        if (byte === OPEN) return this.#go("first key")
        break
      case "first key":
      case "key":
        if (byte === QUOTE) return this.#begin(position, true)
        if (byte === CLOSE && this.#place === "first key") return this.#go("nothing")
        break
      case "colon":
        if (byte === COLON) return this.#go("value")
        break
      case "value":
        if (Object.hasOwn(this.#visits, this.#key)) {
          if (byte !== OPEN_LIST)
            throw new Error(`byte ${position}: expected a list under ${JSON.stringify(this.#key)}`)
          this.#valueStart = position
          this.#index = 0
          return this.#go("first element")
        }
        if (isBeginning(byte)) return this.#begin(position, false)
        break
      case "after value":
        if (byte === COMMA) return this.#go("key")
        if (byte === CLOSE) return this.#go("nothing")
        break
      case "first element":
      case "element":
        if (byte === CLOSE_LIST && this.#place === "first element") return this.#endList(position)
        if (isBeginning(byte)) return this.#begin(position, true)
        break
      case "after element":
        if (byte === COMMA) return this.#go("element")
        if (byte === CLOSE_LIST) return this.#endList(position)
        break
    }
    throw new Error(
      `byte ${position}: expected ${EXPECTED[this.#place]}, found ${JSON.stringify(String.fromCharCode(byte))}`,
    )
  }

  #go(place: Place): 1 {
    this.#place = place
    return 1
  }

  #endList(position: number): 1 {
    this.values.set(this.#key, { start: this.#valueStart, end: position + 1 })
    return this.#go("after value")
  }

  #begin(start: number, held: boolean): 0 {
    this.#token = { start, held: held ? [] : undefined }
    this.#depth = 0
    this.#inText = false
    this.#held = 0
    return 0
  }

  /** Where in the chunk the token ends; -1 when that is further on. */
  #find(chunk: Buffer, from: number, offset: number): number {
    let depth = this.#depth
    let inText = this.#inText
    let at = from
    if (this.#escaped) at++
    this.#escaped = false
    for (; at < chunk.length; at++) {
      const byte = chunk[at]
      if (inText) {
        if (byte === BACKSLASH) at++
        else if (byte === QUOTE) {
          if (depth === 0) return at + 1
          inText = false
        }
      } else if (byte === QUOTE) inText = true
      else if (byte === OPEN || byte === OPEN_LIST) {
        if (++depth > MOST_LEVELS)
          throw new Error(`byte ${offset + at}: more than ${MOST_LEVELS} levels of lists and objects`)
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        if (depth === 0) return at
        if (--depth === 0) return at + 1
      } else if (depth === 0 && byte !== undefined && isEnd(byte)) return at
    }
    this.#escaped = at > chunk.length
    this.#depth = depth
    this.#inText = inText
    return -1
  }

  #hold(token: Token, bytes: Buffer, position: number): void {
    if (!token.held) return
    this.#held += bytes.length
    if (this.#held > MAX_ELEMENT) {
      throw new Error(`byte ${token.start}: no end of what begins here until byte ${position + bytes.length}`)
    }
    // The chunk's memory is used again.
    token.held.push(Buffer.from(bytes))
  }

  #finish(token: Token, last: Buffer, end: number): void {
    this.#token = undefined
    const range = { start: token.start, end }
    if (this.#place === "value") {
      this.values.set(this.#key, range)
      this.#place = "after value"
      return
    }
    const bytes = token.held && token.held.length > 0 ? Buffer.concat([...token.held, last]) : last
    if (this.#place === "key" || this.#place === "first key") {
      this.#key = String(JSON.parse(bytes.toString()))
      if (this.values.has(this.#key))
        throw new Error(`byte ${token.start}: the key ${JSON.stringify(this.#key)} is there twice`)
      this.#place = "colon"
      return
    }
    this.#place = "after element"
    try {
      this.#visits[this.#key]?.(bytes, range, this.#index++)
    } catch (error) {
      throw new Error(`${this.#key}[${this.#index - 1}] at byte ${token.start}: ${messageOf(error)}`, { cause: error })
    }
  }
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Visits the elements of arrays of a JSON document as they come, in one pass over the file.
 *
 * @param visits what to call for each element of the array under a key; other values are only passed over.
 * @throws {IngestError} naming file and byte when the file is missing, changes meanwhile, is no JSON object, has something
 * else than an array under a key that is visited, or is cut off; and, with the element besides, for what a visit throws.
 * @example
 * ```ts
 * let boxes = 0
 * await scanArrays("instances.json", { annotations: (bytes) => { boxes += JSON.parse(bytes.toString()).bbox.length } })
 * ```
 */
export const scanArrays = async (
  path: string,
  visits: Readonly<Record<string, Visit>>,
  { signal, chunk: size = CHUNK }: ScanOptions = {},
): Promise<Scanned> => {
  await using file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new IngestError(`File not found: ${path}`, { cause: error }) : error
  })
  const version = fileVersion(await file.stat())
  const scanner = new Scanner(visits)
  const buffer = Buffer.allocUnsafe(size)
  let offset = 0
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(buffer, 0, size, offset)
      if (bytesRead === 0) break
      const bom = offset === 0 && buffer.subarray(0, 3).equals(BOM) ? BOM.length : 0
      scanner.push(buffer.subarray(bom, bytesRead), offset + bom)
      offset += bytesRead
    }
    scanner.end(offset)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new IngestError(`${path}: ${messageOf(error)}`, { cause: error })
  }
  if (fileVersion(await file.stat()) !== version) {
    throw new IngestError(`${path}: the file changed while it was read; run again to take it as it is now`)
  }
  return { version, values: scanner.values }
}
