/**
 * What the headers of picture files say, and whether their structure is complete to the end, read without decoding:
 * a few microseconds a file. It tells a picture that was cut off by where it ends, which a decoder does not, and
 * gives the dimensions before anything of that size is allocated.
 */
import { IngestError } from "../model/errors.ts"
import { readTiff } from "./tiff.ts"

export type ImageFormat = "JPEG" | "PNG" | "GIF" | "WebP" | "BMP" | "TIFF" | "AVIF" | "SVG"

export interface ImageHeader {
  readonly format: ImageFormat
  /** In pixels; undefined where only a decoder can tell (AVIF, SVG). */
  readonly width?: number
  readonly height?: number
  /** Bytes a pixel that decoding takes of all of them at once (measured); undefined where it goes line by line. */
  readonly held?: number
}

const ascii = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end))

const isBmp = (bytes: Uint8Array): boolean =>
  // "BM" alone begins many a text, so the size of the second header must be one of those there are.
  ascii(bytes, 0, 2) === "BM" && [12, 40, 52, 56, 64, 108, 124].includes(view(bytes).getUint32(14, true))

const isAvif = (bytes: Uint8Array): boolean => {
  if (ascii(bytes, 4, 8) !== "ftyp") return false
  const end = Math.min(view(bytes).getUint32(0), 256, bytes.length)
  for (let at = 8; at + 4 <= end; at += 4) {
    // Bytes 12 to 16 are a version number, not a brand.
    if (at !== 12 && /^avi[fs]$/.test(ascii(bytes, at, at + 4))) return true
  }
  return false
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const isSvg = (bytes: Uint8Array): boolean => /<(svg:)?svg[\s>]/.test(ascii(bytes, 0, 1000))

/** The format that the first 1,000 bytes announce; undefined when it is none that is decoded here. */
export const imageFormat = (bytes: Uint8Array): ImageFormat | undefined => {
  const first = ascii(bytes, 0, 12)
  if (first.startsWith("\xff\xd8\xff")) return "JPEG"
  if (first.startsWith("\x89PNG\r\n\x1a\n")) return "PNG"
  if (/^GIF8[79]a/.test(first)) return "GIF"
  if (/^RIFF....WEBP/s.test(first)) return "WebP"
  if (/^(II\*\0|MM\0\*|II\+\0|MM\0\+)/.test(first)) return "TIFF"
  if (bytes.length < 18) return undefined
  return isBmp(bytes) ? "BMP" : isAvif(bytes) ? "AVIF" : isSvg(bytes) ? "SVG" : undefined
}

/** Dimensions found on the way, kept when the walk runs over the end. */
interface Found {
  width?: number
  height?: number
  held?: number
}

/** Walks the markers up to the pixels (ITU-T T.81, annex B), then looks for the end marker. */
const walkJpeg = (bytes: Uint8Array, found: Found): string | undefined => {
  const data = view(bytes)
  let at = 2
  for (;;) {
    const marker = data.getUint8(at + 1)
    // As decoders do, step over what stands between segments without belonging to one.
    if (data.getUint8(at) !== 0xff || marker === 0xff || marker === 0x00) at += 1
    else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2
    else if (marker === 0xd9) return `no pixels: the end marker follows the header at byte ${at}`
    else {
      if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
        found.height = data.getUint16(at + 5)
        found.width = data.getUint16(at + 7)
        // Progressive: all coefficients are held until the last scan.
        if ((marker & 3) === 2) found.held = 4
      }
      at += 2 + data.getUint16(at + 2)
      if (marker === 0xda) break
    }
  }
  // Pixel data never holds ff d9, and much may follow the picture: padding, a second picture, a film.
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ended = (bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9) || end.indexOf("ffd9", at, "hex") >= 0
  return ended ? undefined : `cut off: it ends at byte ${bytes.length} without an end marker (EOI)`
}

/** Walks the chunks (W3C PNG, 5.3) to IEND. */
const walkPng = (bytes: Uint8Array, found: Found): string | undefined => {
  const data = view(bytes)
  found.width = data.getUint32(16)
  found.height = data.getUint32(20)
  // Lines that are interlaced are all held until the last one is there, with four channels.
  if (data.getUint8(28) === 1) found.held = (4 * Math.max(8, data.getUint8(24))) / 8
  for (let at = 8; at + 12 <= bytes.length; ) {
    const next = at + 12 + data.getUint32(at)
    const type = ascii(bytes, at + 4, at + 8)
    if (!/^[A-Za-z]{4}$/.test(type)) return `a damaged chunk at byte ${at}`
    if (next > bytes.length)
      return `cut off: the ${type} chunk at byte ${at} ends at ${next}, the file at ${bytes.length}`
    if (type === "IEND") return undefined
    at = next
  }
  return `cut off: it ends at byte ${bytes.length} without an IEND chunk`
}

/** Walks the blocks (GIF89a, appendix B) to the trailer. */
const walkGif = (bytes: Uint8Array, found: Found): string | undefined => {
  const data = view(bytes)
  const colours = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0)
  found.width = data.getUint16(6, true)
  found.height = data.getUint16(8, true)
  found.held = 5
  let at = 13 + colours(data.getUint8(10))
  for (;;) {
    const block = data.getUint8(at)
    if (block === 0x3b) return undefined
    if (block === 0x2c) at += 11 + colours(data.getUint8(at + 9))
    else if (block === 0x21) at += 2
    else {
      // As decoders do, step over what stands between blocks without belonging to one.
      at += 1
      continue
    }
    let size = data.getUint8(at)
    while (size > 0) {
      at += 1 + size
      size = data.getUint8(at)
    }
    at += 1
  }
}

/** Compares the size in the RIFF header with the file's; dimensions as in RFC 9649. */
const walkWebp = (bytes: Uint8Array, found: Found): string | undefined => {
  const data = view(bytes)
  const kind = ascii(bytes, 12, 16)
  if (kind === "VP8X") {
    found.width = 1 + (data.getUint32(24, true) & 0xffffff)
    found.height = 1 + (data.getUint32(26, true) >>> 8)
  } else if (kind === "VP8L") {
    const bits = data.getUint32(21, true)
    found.width = 1 + (bits & 0x3fff)
    found.height = 1 + ((bits >>> 14) & 0x3fff)
  } else if (kind === "VP8 ") {
    found.width = data.getUint16(26, true) & 0x3fff
    found.height = data.getUint16(28, true) & 0x3fff
  } else return `an unknown chunk ${JSON.stringify(kind)} at byte 12`
  const size = 8 + data.getUint32(4, true)
  return size > bytes.length ? `cut off: its header announces ${size} bytes, the file has ${bytes.length}` : undefined
}

/** Compares where the pixels end with the file's size. The header's own size field is wrong in many files. */
const walkBmp = (bytes: Uint8Array, found: Found): string | undefined => {
  const data = view(bytes)
  const core = data.getUint32(14, true) === 12
  const width = core ? data.getUint16(18, true) : data.getInt32(18, true)
  // A negative height means that the rows run from the top.
  const height = Math.abs(core ? data.getUint16(20, true) : data.getInt32(22, true))
  found.width = width
  found.height = height
  found.held = 6
  const bits = data.getUint16(core ? 24 : 28, true)
  const compression = core ? 0 : data.getUint32(30, true)
  const packed = compression !== 0 && compression !== 3 && compression !== 6
  const pixels = packed ? data.getUint32(34, true) : Math.ceil((width * bits) / 32) * 4 * height
  const end = data.getUint32(10, true) + pixels
  return end > bytes.length ? `cut off: its pixels end at byte ${end}, the file at ${bytes.length}` : undefined
}

/** Compares where the last of what the directories name ends with the file's size. */
const walkTiff = (bytes: Uint8Array, found: Found): string | undefined => {
  const { width, height, end } = readTiff(bytes)
  if (width === undefined || height === undefined) return "its first directory does not say how large it is"
  found.width = width
  found.height = height
  return end > bytes.length ? `cut off: its pixels end at byte ${end}, the file at ${bytes.length}` : undefined
}

/** The most that AV1 can have (its specification, 5.5.1). */
const AVIF_SIDE = 1 << 16

/** Walks the boxes (ISO/IEC 14496-12, 4.2): there are some that describe pictures and some that hold them. */
const walkAvif = (bytes: Uint8Array, found: Found): string | undefined => {
  found.held = 19
  const data = view(bytes)
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const types = new Set<string>()
  for (let at = 0; at + 8 <= bytes.length; ) {
    const type = ascii(bytes, at + 4, at + 8)
    const short = data.getUint32(at)
    const size = short === 1 ? Number(data.getBigUint64(at + 8)) : short === 0 ? bytes.length - at : short
    const end = at + size
    if (size < 8 || !/^[\x20-\x7e]{4}$/.test(type)) return `a damaged box at byte ${at}`
    if (end > bytes.length) return `cut off: the ${type} box at byte ${at} ends at ${end}, the file at ${bytes.length}`
    types.add(type)
    if (type === "meta") {
      for (let size = whole.indexOf("ispe", at); size >= 0 && size < end; size = whole.indexOf("ispe", size + 4)) {
        const [width, height] = [data.getUint32(size + 8), data.getUint32(size + 12)]
        if (Math.max(width, height) > AVIF_SIDE) return `its header says ${width} x ${height} pixels`
      }
    }
    at = end
  }
  // Small pictures may be in the box "meta" itself.
  const held = types.has("mdat") || whole.includes("idat")
  return held && (types.has("meta") || types.has("moov"))
    ? undefined
    : `cut off: it ends at byte ${bytes.length} without its pixels`
}

/** More than what follows the last element of any SVG, but for comments. */
const SVG_END = 1 << 16

/** Looks for the end of the outermost element; behind it there are comments at most. */
const walkSvg = (bytes: Uint8Array): string | undefined => {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = whole.toString("latin1", Math.max(0, bytes.length - SVG_END)).trimEnd()
  while (end.endsWith("-->") && end.includes("<!--")) end = end.slice(0, end.lastIndexOf("<!--")).trimEnd()
  const last = end.slice(Math.max(0, end.lastIndexOf("<")))
  return /^<\/([\w.-]+:)?svg\s*>$|^<([\w.-]+:)?svg\s.*\/>$|-->$/s.test(last)
    ? undefined
    : `cut off: it ends at byte ${bytes.length} without the end of its outermost element`
}

const WALKS: Readonly<Record<ImageFormat, (bytes: Uint8Array, found: Found) => string | undefined>> = {
  JPEG: walkJpeg,
  PNG: walkPng,
  GIF: walkGif,
  WebP: walkWebp,
  BMP: walkBmp,
  TIFF: walkTiff,
  AVIF: walkAvif,
  SVG: walkSvg,
}

const walk = (format: ImageFormat, bytes: Uint8Array, found: Found): string | undefined => {
  try {
    return WALKS[format](bytes, found)
  } catch (error) {
    // A read outside of the view: the file ends before the structure does.
    if (error instanceof RangeError) return `cut off: it ends at byte ${bytes.length}, inside its structure`
    throw error
  }
}

/** How the bytes begin, for a message: as text where they are text. */
const beginning = (bytes: Uint8Array): string =>
  /^[\t\n\r\x20-\x7e]+$/.test(ascii(bytes, 0, 32))
    ? `the text ${JSON.stringify(ascii(bytes, 0, 32))}`
    : `the bytes ${Buffer.from(bytes.subarray(0, 12)).toString("hex")}`

/**
 * Reads the header and follows the structure to its end.
 *
 * @throws {IngestError} when the bytes begin as none of the formats, or the structure is damaged or cut off.
 */
export const readImageHeader = (bytes: Uint8Array): ImageHeader => {
  if (bytes.length === 0) throw new IngestError("Expected a picture, found no bytes at all")
  const format = imageFormat(bytes)
  if (!format) {
    throw new IngestError(
      `Expected a picture (JPEG, PNG, GIF, WebP, BMP, TIFF, AVIF or SVG), found something that begins with ${beginning(bytes)}`,
    )
  }
  const found: Found = {}
  const problem = walk(format, bytes, found)
  if (problem) throw new IngestError(`Damaged ${format}: ${problem}`)
  const { width = 1, height = 1 } = found
  if (width < 1 || height < 1) throw new IngestError(`Damaged ${format}: its header says ${width} x ${height} pixels`)
  return { format, ...found }
}
