/**
 * Thumbnails of one picture in four sizes, and the side table rows that hold them. The picture is decoded once, at
 * the smallest scale its format offers that is still larger than 256 pixels; every size is made from those pixels.
 * Decoding is strict: a picture that is cut off or that its decoder calls damaged fails, so that making thumbnails
 * is also the proof that the picture is whole.
 */
import type { SharpOptions } from "sharp"
import { type Batch, batchOf } from "../model/batch.ts"
import { bytesColumn, int32Column, textColumn } from "../model/column.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import { type Lane, WrongLane } from "../model/normalizer.ts"
import { readBmp } from "./bmp.ts"
import { type ImageHeader, readImageHeader } from "./imageheader.ts"
import { loadSharp, type Sharp } from "./sharp.ts"

/** 8-bit sRGB samples, row by row from the top, without padding. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: 3 | 4
}

export interface Thumbnail {
  /** The square that it fits in. */
  readonly dimension: "32x32" | "64x64" | "128x128" | "256x256"
  /** A JPEG file. */
  readonly content: Uint8Array
}

export interface ThumbnailOptions {
  /** More pixels than this are refused; default 2^28 (16,384 x 16,384), and never more than fit into 1.2 GiB at once. */
  readonly maxPixels?: number
  /**
   * Render SVG too. Drawing one can take hours and cannot be stopped: only where the process may be killed for it.
   */
  readonly svg?: boolean
  /**
   * Where this runs. On a thread, beside others, a picture that takes much memory to decode is not decoded: it belongs
   * into a process of its own.
   */
  readonly lane?: Lane | undefined
}

export const MAX_PIXELS = 2 ** 28
/** Where all pixels are held at once: 2^26 of an AVIF, and 2^28 of a progressive JPEG, which takes 3 bytes a pixel. */
const MAX_HELD = 19 * 2 ** 26
/** Above this, a picture is not decoded beside others: four threads with a file of 1 KB each would take 5 GB. */
const LARGE_BYTES = 256 << 20
const LARGEST = 256
const QUALITY = 85
/** Just under the minute after which a worker without progress is given up: then only this picture fails. */
const SECONDS = 50

/** At most `size` in each direction, never larger than it is. */
const inside = (size: number) => ({ width: size, height: size, fit: "inside", withoutEnlargement: true }) as const

const isPixels = (source: Uint8Array | Pixels): source is Pixels => "channels" in source

/** The decoder's words without its repetitions and its own progress notes. */
const decoderMessage = (error: unknown): string => {
  const lines = messageOf(error).split("\n")
  const said = new Set(lines.map((line) => line.trim()).filter((line) => line && !line.startsWith("source: bad seek")))
  return [...said].join("; ").slice(0, 300)
}

const tooLarge = (width: number, height: number, maxPixels: number): IngestError =>
  new IngestError(`Input image exceeds pixel limit: ${width} x ${height} pixels, at most ${maxPixels} are decoded`)

/** A pipeline that ends in the pixels of the largest thumbnail. */
const decode = (sharp: Sharp, source: Uint8Array | Pixels, limitInputPixels: number) => {
  const options: SharpOptions = { failOn: "error", limitInputPixels, sequentialRead: true, autoOrient: true }
  const opened = isPixels(source)
    ? sharp(source.data, { ...options, raw: { width: source.width, height: source.height, channels: source.channels } })
    : sharp(source, options)
  return opened
    .timeout({ seconds: SECONDS })
    .resize(inside(LARGEST))
    .flatten({ background: "#ffffff" })
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true })
}

/** What the header says, and where it does not (AVIF) and all pixels are held at once, what the decoder says. */
const sizeOf = async (sharp: Sharp, bytes: Uint8Array, { width, height, held = 0 }: ImageHeader) => {
  if ((width !== undefined && height !== undefined) || held === 0) return { width, height }
  return sharp(bytes, { limitInputPixels: false })
    .metadata()
    .catch(() => ({ width, height }))
}

let turn: Promise<unknown> = Promise.resolve()

/** After the large pictures before it: there is no second one beside it in this thread. */
const alone = <T>(work: () => Promise<T>): Promise<T> => {
  const done = turn.then(work)
  turn = done.catch(() => {})
  return done
}

const decodeFile = async (sharp: Sharp, bytes: Uint8Array, options: ThumbnailOptions) => {
  const header = readImageHeader(bytes)
  const { format, held = 0 } = header
  if (format === "SVG" && !options.svg) throw new IngestError("SVG is not rendered here: drawing it cannot be stopped")
  const { width = 0, height = 0 } = await sizeOf(sharp, bytes, header)
  const maxPixels = Math.min(options.maxPixels ?? MAX_PIXELS, held > 0 ? Math.floor(MAX_HELD / held) : Infinity)
  if (width * height > maxPixels) throw tooLarge(width, height, maxPixels)
  const large = width * height * held > LARGE_BYTES
  if (large && options.lane === "thread") throw new WrongLane("process")
  const decoded = async () => decode(sharp, format === "BMP" ? await readBmp(bytes, 4 * LARGEST) : bytes, maxPixels)
  try {
    return await (large ? alone(decoded) : decoded())
  } catch (error) {
    if (/pixel limit/.test(messageOf(error))) {
      const header = await sharp(bytes, { limitInputPixels: false }).metadata()
      throw tooLarge(header.width, header.height, maxPixels)
    }
    throw new IngestError(`Damaged ${format}: ${decoderMessage(error)}`, { cause: error })
  }
}

/**
 * Four JPEG files (quality 85), smallest first, that fit inside squares of 32, 64, 128 and 256 pixels. EXIF
 * orientation is applied, transparency is laid on white, of an animation the first frame is taken, and a smaller
 * picture is not enlarged.
 *
 * @throws {IngestError} when the picture is damaged, cut off, has too many pixels, or is of no format that is decoded.
 */
export const thumbnailsOf = async (
  source: Uint8Array | Pixels,
  options: ThumbnailOptions = {},
): Promise<readonly Thumbnail[]> => {
  const sharp = await loadSharp()
  const { data, info } = isPixels(source)
    ? await decode(sharp, source, options.maxPixels ?? MAX_PIXELS)
    : await decodeFile(sharp, source, options)
  const encode = (size: number): Promise<Uint8Array> =>
    sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
      .resize(inside(size))
      .jpeg({ quality: QUALITY })
      .toBuffer()
  const [x32, x64, x128, x256] = await Promise.all([encode(32), encode(64), encode(128), encode(LARGEST)])
  return [
    { dimension: "32x32", content: x32 },
    { dimension: "64x64", content: x64 },
    { dimension: "128x128", content: x128 },
    { dimension: "256x256", content: x256 },
  ]
}

/** Thumbnails of one value: `row` counts within the batch they go with, `fileId` is that row's id. */
export interface ThumbnailEntry {
  readonly row: number
  readonly fileId: string
  readonly column: string
  readonly thumbnails: readonly Thumbnail[]
}

/** The side batch for `Rows.side.thumbnails`: `_row file_id column_name dimension content`, one row a thumbnail. */
export const thumbnailBatch = (entries: readonly ThumbnailEntry[]): Batch => {
  const rows = entries.flatMap((entry) => entry.thumbnails.map((thumbnail) => ({ ...entry, ...thumbnail })))
  return batchOf({
    _row: int32Column(rows.map(({ row }) => row)),
    file_id: textColumn(rows.map(({ fileId }) => fileId)),
    column_name: textColumn(rows.map(({ column }) => column)),
    dimension: textColumn(rows.map(({ dimension }) => dimension)),
    content: bytesColumn(
      rows.map(({ content }) => content),
      { name: "BINARY" },
    ),
  })
}
