/** What the rows of COCO formats have in common: the picture's bytes, checked, and its thumbnails. */
import { type ImageHeader, readImageHeader } from "../../media/imageheader.ts"
import { readItem } from "../../media/itemfile.ts"
import { IngestError } from "../../model/errors.ts"
import { rowId } from "../../model/ids.ts"
import type { Item } from "../../model/item.ts"
import type { Lane, Rows } from "../../model/normalizer.ts"
import type { NotedFile } from "../../readers/byte-ranges.ts"

/** Runs `read`, and names the file in what it throws. */
export const about = async <T>(path: string, read: () => T | Promise<T>): Promise<T> => {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof IngestError) || error.message.includes(path)) throw error
    throw new IngestError(`${path}: ${error.message}`, { cause: error })
  }
}

/** The whole file, when it is still the one that was listed. */
export const readWhole = (item: Item, { path, version }: NotedFile, maxBytes: number): Uint8Array =>
  readItem({ ...item, uri: path, version }, maxBytes)

interface PictureOptions {
  readonly thumbnails: boolean
  readonly maxBytes: number
  readonly lane?: Lane | undefined
}

export interface Picture {
  readonly bytes: Uint8Array
  readonly header: ImageHeader
  /** Rows of the table of thumbnails. */
  readonly side?: NonNullable<Rows["side"]>
}

/**
 * Reads and checks a picture: to its end by its structure, and where thumbnails are wanted by decoding it.
 *
 * @throws {IngestError} naming the file when it is damaged, or is not the one that was listed.
 * @throws {WrongLane} when it is too large to be decoded on this lane.
 */
export const readPicture = (
  item: Item,
  file: NotedFile,
  { thumbnails, maxBytes, lane }: PictureOptions,
): Promise<Picture> =>
  about(file.path, async () => {
    const bytes = readWhole(item, file, maxBytes)
    const header = readImageHeader(bytes)
    if (!thumbnails) return { bytes, header }
    const { thumbnailBatch, thumbnailsOf } = await import("../../media/thumbnails.ts")
    const entry = { row: 0, fileId: rowId(item, 0), column: "image", thumbnails: await thumbnailsOf(bytes, { lane }) }
    return { bytes, header, side: { thumbnails: thumbnailBatch([entry]) } }
  })

/** What is wrong with a picture whose annotations are for another size; undefined when nothing is. */
export const sizeProblem = (
  { path }: NotedFile,
  { width, height }: { readonly width?: number; readonly height?: number },
  expected: { readonly width: number; readonly height: number },
): string | undefined =>
  width === undefined || height === undefined || (width === expected.width && height === expected.height)
    ? undefined
    : `${path} has ${width} x ${height} pixels, its annotations are for ${expected.width} x ${expected.height}`
