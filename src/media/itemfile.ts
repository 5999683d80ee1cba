/**
 * The file of an item: opened once, whoever reads from it, and checked to be the one that the source listed, before
 * the first byte is read and after the last.
 *
 * Reads are synchronous. A worker has nothing else to do meanwhile; asynchronous ones would queue behind the picture
 * decoders for the same few threads, and take ten times as long (10,000 small files: 0.7 s against 0.07 s).
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs"
import { IngestError } from "../model/errors.ts"
import type { Item } from "../model/item.ts"
import { formatBytes } from "../model/units.ts"
import { fileVersion } from "./file-version.ts"

/** Files up to this size are read whole when they are opened. */
const SMALL = 128 * 1024
/** Of larger ones, this much: the signatures of all formats lie within it. */
const HEAD = 4100
/** One system call reads no more than 2 GiB. */
const MOST = 2 ** 30

interface ItemFile {
  readonly descriptor: number
  readonly size: number
  readonly version: string
  readonly head: Uint8Array
}

/** What `openItem` has opened and `closeItem` has not closed yet. */
const shared = new WeakMap<Item, ItemFile>()

/** Fingerprints of files are `<size>:<mtimeMs>`; those of other sources are not compared. */
const FILE_VERSION = /^\d+:-?\d+(\.\d+)?$/

const changed = (expected: string, found: string): IngestError =>
  new IngestError(
    `the file changed while it was read: size:mtime was ${expected} and is ${found}; run again to take it as it is now`,
  )

const inspect = (item: Item, descriptor: number): { readonly size: number; readonly version: string } => {
  const status = fstatSync(descriptor)
  if (!status.isFile()) throw new IngestError(`Expected a regular file, found something else: ${item.uri}`)
  return { size: status.size, version: fileVersion(status) }
}

const checkUnchanged = (item: Item, { descriptor, version }: ItemFile): void => {
  const now = inspect(item, descriptor)
  if (now.version !== version) throw changed(version, now.version)
}

/** Decoders that open the file by its name read another one, once that has taken its place. */
const checkInPlace = (item: Item, { version }: ItemFile): void => {
  const status = statSync(item.uri, { throwIfNoEntry: false })
  const now = status ? fileVersion(status) : "that of no file"
  if (now !== version) throw changed(version, now)
}

/** `length` bytes from `position`, on a buffer of their own; fewer only where the file ends. */
const read = (descriptor: number, position: number, length: number): Uint8Array => {
  // Not zeroed, as `new Uint8Array(length)` would be, and not from the pool that other buffers share.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let at = 0
  while (at < length) {
    const count = readSync(descriptor, bytes, at, Math.min(length - at, MOST), position + at)
    if (count === 0) return bytes.subarray(0, at)
    at += count
  }
  return bytes
}

const openDescriptor = (uri: string): number => {
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
    return openSync(uri, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT"
    throw missing ? new IngestError(`File not found: ${uri}`, { cause: error }) : error
  }
}

const open = (item: Item): ItemFile => {
  const descriptor = openDescriptor(item.uri)
  try {
    const { size, version } = inspect(item, descriptor)
    if (FILE_VERSION.test(item.version) && version !== item.version) throw changed(item.version, version)
    return { descriptor, size, version, head: read(descriptor, 0, size <= SMALL ? size : HEAD) }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** The file as `openItem` left it, or opened for this one reading. */
const acquire = (item: Item): { readonly file: ItemFile; readonly own: boolean } => {
  const file = shared.get(item)
  return file ? { file, own: false } : { file: open(item), own: true }
}

/**
 * Opens the item's file for everyone who reads it until `closeItem`, and returns its first bytes: all of them up to
 * 128 KiB, else 4,100.
 *
 * @throws {IngestError} when the file is missing, is no regular file, or is not the one that was listed.
 */
export const openItem = (item: Item): Uint8Array => {
  const file = open(item)
  shared.set(item, file)
  return file.head
}

/** Ends what `openItem` began. */
export const closeItem = (item: Item): void => {
  const file = shared.get(item)
  if (!file) return
  shared.delete(item)
  closeSync(file.descriptor)
}

/**
 * To be called when all of an open item has been read.
 *
 * @throws {IngestError} when the file has changed since it was opened, or another one is in its place.
 */
export const checkItem = (item: Item): void => {
  const file = shared.get(item)
  if (!file) return
  checkUnchanged(item, file)
  checkInPlace(item, file)
}

/**
 * The whole file. The bytes are the caller's: a small file that is open already is handed over, not read again.
 *
 * @throws {IngestError} as `openItem`, when the file has more than `maxBytes`, or when it changed meanwhile.
 */
export const readItem = (item: Item, maxBytes: number): Uint8Array => {
  const { file, own } = acquire(item)
  try {
    if (file.size > maxBytes) {
      throw new IngestError(
        `The file has ${formatBytes(file.size)}; an item of this kind is held in memory whole, and may have at most ${formatBytes(maxBytes)}`,
      )
    }
    const bytes = file.head.length === file.size ? file.head : read(file.descriptor, 0, file.size)
    if (own) checkUnchanged(item, file)
    return bytes
  } finally {
    if (own) closeSync(file.descriptor)
  }
}

/** A part of a file; `last` says that it is the last one. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly last: boolean
}

/**
 * The file in pieces of `length` bytes (the last one is shorter), at least one. A small file is one piece.
 *
 * @throws {IngestError} as `openItem`, or when the file changed meanwhile.
 */
export function* readPieces(item: Item, length: number): Generator<Piece> {
  const { file, own } = acquire(item)
  try {
    if (file.head.length === file.size) yield { bytes: file.head, last: true }
    else {
      for (let at = 0; at < file.size; at += length) {
        yield { bytes: read(file.descriptor, at, Math.min(length, file.size - at)), last: at + length >= file.size }
      }
    }
    if (own) checkUnchanged(item, file)
  } finally {
    if (own) closeSync(file.descriptor)
  }
}
