/**
 * What the outermost structure of a container says, read without FFmpeg: which one it is, and whether all of it is
 * there. FFmpeg takes the packets that it finds; that the last of a file are gone, it mostly does not say.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"

export interface Content {
  /** Fewer bytes only where the file ends. */
  readonly read: (position: number, length: number) => Buffer
  readonly size: number
}

/** Opens the file for as long as `use` takes. */
export const withContent = <T>(path: string, use: (content: Content) => T): T => {
  const file = openSync(path, "r")
  try {
    const read = (position: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, position))
    }
    return use({ read, size: fstatSync(file).size })
  } finally {
    closeSync(file)
  }
}

export type Container = "MP4 or MOV" | "Matroska or WebM" | "AVI"

const EBML = 0x1a45dfa3

/** The container that the first bytes are of; undefined for those of which the structure is not looked at. */
export const containerOf = (head: Buffer): Container | undefined => {
  if (/^(ftyp|moov|mdat|wide|free|skip|pnot)$/.test(head.toString("latin1", 4, 8))) return "MP4 or MOV"
  if (head.length >= 4 && head.readUInt32BE(0) === EBML) return "Matroska or WebM"
  return head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 11) === "AVI" ? "AVI" : undefined
}

/** A part of the file; `end` may lie behind the file's own. */
export interface Part {
  readonly name: string
  readonly start: number
  readonly end: number
}

/** More parts than any recorder writes; a crafted file could have one every eight bytes. */
const MAX_PARTS = 100_000

interface Box extends Part {
  /** Where its content begins. */
  readonly body: number
}

/** Boxes: ISO/IEC 14496-12, 4.2. Their lengths stand before their names; 0: up to the end of the file. */
const boxAt = ({ read, size }: Content, start: number): Box | undefined => {
  const header = read(start, 16)
  const name = header.toString("latin1", 4, 8)
  if (!/^[\x20-\x7e]{4}$/.test(name)) return undefined
  const short = header.readUInt32BE(0)
  if (short === 1 && header.length < 16) return undefined
  const length = short === 1 ? Number(header.readBigUInt64BE(8)) : short === 0 ? size - start : short
  return length < 8 ? undefined : { name, start, end: start + length, body: start + (short === 1 ? 16 : 8) }
}

const SEGMENT = 0x18538067

/** A number of EBML (RFC 8794, 4.1) and how many bytes it takes; NaN where it stands for "not known". */
const sizeAt = (bytes: Buffer, at: number): { readonly value: number; readonly length: number } | undefined => {
  const length = Math.clz32(bytes[at] ?? 0) - 23
  if (length > 8 || at + length > bytes.length) return undefined
  let value = (bytes[at] ?? 0) & (0xff >> length)
  let unknown = value === 0xff >> length
  for (const byte of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + byte
    unknown &&= byte === 0xff
  }
  return { value: unknown ? Number.NaN : value, length }
}

/** The outermost elements, of which a segment is what counts. A live recording does not know how long it will be. */
const elementAt = ({ read }: Content, start: number): Part | undefined => {
  const header = read(start, 12)
  const idLength = Math.clz32(header[0] ?? 0) - 23
  const size = idLength <= 4 ? sizeAt(header, idLength) : undefined
  if (!size || Number.isNaN(size.value)) return undefined
  const id = header.readUIntBE(0, idLength)
  return { name: id === SEGMENT ? "segment" : "header", start, end: start + idLength + size.length + size.value }
}

/** Chunks: RIFF, of which an AVI has one, or one a gigabyte. A recording that was never finished says 0. */
const chunkAt = ({ read }: Content, start: number): Part | undefined => {
  const header = read(start, 8)
  const length = header.length === 8 && header.toString("latin1", 0, 4) === "RIFF" ? header.readUInt32LE(4) : 0
  return length === 0 ? undefined : { name: "RIFF", start, end: start + 8 + length }
}

const PARTS: Readonly<Record<Container, (content: Content, start: number) => Part | undefined>> = {
  "MP4 or MOV": boxAt,
  "Matroska or WebM": elementAt,
  AVI: chunkAt,
}

/** Bytes that the name and the length of a part take at least. */
const HEADER = 8

/** The outermost parts of the file, up to where it ends or they make no sense any more. */
export function* partsOf(content: Content, container: Container): Generator<Part, void, undefined> {
  let at = 0
  for (let count = 0; at + HEADER <= content.size && count < MAX_PARTS; count++) {
    const part = PARTS[container](content, at)
    if (!part) return
    yield part
    at = part.end
  }
}

/** Says of a video that it ends before its own structure does; undefined where it does not, or does not say. */
export const cutOff = (path: string): string | undefined =>
  withContent(path, (content) => {
    const container = containerOf(content.read(0, 12))
    if (!container) return undefined
    for (const { name, start, end } of partsOf(content, container)) {
      if (end <= content.size) continue
      return `the file is cut off: its part ${JSON.stringify(name)}, which begins at byte ${start}, ends at ${end}, the file at ${content.size}`
    }
    return undefined
  })

/** Boxes that hold others of which one may say how many samples there are. */
const HOLDERS = new Set(["moov", "trak", "mdia", "minf", "stbl", "moof", "traf"])

/** FFmpeg looks no deeper. */
const MAX_DEPTH = 10

/** Three times as many pictures as a camera takes in a day; FFmpeg keeps about 100 bytes of each. */
const MAX_SAMPLES = 2 ** 23

/** What a box says of samples: how many there are, and how many bytes they take at least. */
const samplesOf = ({ read }: Content, { name, body }: Box): { readonly count: number; readonly bytes: number } => {
  const head = name === "stsz" || name === "trun" ? read(body, 12) : Buffer.alloc(0)
  if (head.length < 12) return { count: 0, bytes: 0 }
  if (name === "trun") return { count: head.readUInt32BE(4), bytes: 0 }
  // One size for all, or a list of them.
  const size = head.readUInt32BE(4)
  const count = head.readUInt32BE(8)
  return { count, bytes: count * (size === 0 ? 4 : size) }
}

/**
 * Says of an MP4 or MOV file that it speaks of more samples than it can have: a few bytes do that, and FFmpeg makes a
 * list of them all when it opens the file.
 */
export const tooManySamples = (path: string): string | undefined =>
  withContent(path, (content) => {
    if (containerOf(content.read(0, 12)) !== "MP4 or MOV") return undefined
    let looked = 0
    let sound = false
    const look = (from: number, to: number, depth: number): string | undefined => {
      for (let at = from; at + HEADER <= to && looked < MAX_PARTS; looked++) {
        const box = boxAt(content, at)
        if (!box) return undefined
        if (box.name === "trak") sound = false
        if (box.name === "hdlr") sound = content.read(box.body + 8, 4).toString("latin1") === "soun"
        const { count, bytes } = samplesOf(content, box)
        // Of plain sound each moment is a sample, and FFmpeg does not list them.
        if (bytes > content.size || (count > MAX_SAMPLES && !sound)) {
          return `its box ${JSON.stringify(box.name)} at byte ${at} says that there are ${count} samples: a file of ${content.size} bytes cannot have them, or they are more than are read (${MAX_SAMPLES})`
        }
        const holds = HOLDERS.has(box.name) && depth < MAX_DEPTH
        const inside = holds ? look(box.body, Math.min(box.end, to), depth + 1) : undefined
        if (inside !== undefined) return inside
        at = box.end
      }
      return undefined
    }
    return look(0, content.size, 0)
  })
