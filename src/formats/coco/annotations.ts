/**
 * COCO annotation files (https://cocodataset.org/#format-data), read once and in bounded memory. What every image
 * needs to be listed is kept; of annotations only where they are, so that whoever makes the row reads them there.
 */
import { crc32 } from "node:zlib"
import { IngestError } from "../../model/errors.ts"
import type { NotedFile } from "../../readers/byte-ranges.ts"
import { type Scanned, scanArrays, type Visit } from "../../readers/json-arrays.ts"
import { ByImage } from "./by-image.ts"

export interface CocoImage {
  readonly id: number
  readonly filename: string
  /** As the file says; anything. */
  readonly width: unknown
  readonly height: unknown
}

/** What is odd about a file, for people. */
type Warn = (message: string) => void

type Entry = Readonly<Record<string, unknown>>

const parse = (bytes: Buffer): Entry => {
  const value: unknown = JSON.parse(bytes.toString())
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Entry
  throw new IngestError(`expected an object, found ${bytes.toString("utf8", 0, 40)}`)
}

const found = (value: unknown): string =>
  value === undefined ? "none" : (JSON.stringify(value)?.slice(0, 60) ?? String(value))

/** @throws {IngestError} when the entry has no whole number under the key. */
const wholeNumber = (entry: Entry, key: string): number => {
  const value = entry[key]
  if (typeof value === "number" && Number.isSafeInteger(value)) return value
  throw new IngestError(`expected a whole number as ${JSON.stringify(key)}, found ${found(value)}`)
}

/** @throws {IngestError} when the entry has no text under the key. */
const text = (entry: Entry, key: string): string => {
  const value = entry[key]
  if (typeof value === "string" && value !== "") return value
  throw new IngestError(`expected a text as ${JSON.stringify(key)}, found ${found(value)}`)
}

const isSide = (side: unknown): side is number => typeof side === "number" && Number.isSafeInteger(side) && side >= 1

/** @throws {IngestError} when the image's entry does not say its size. */
export const sizeOf = (
  path: string,
  { id, width, height }: CocoImage,
): { readonly width: number; readonly height: number } => {
  if (isSide(width) && isSide(height)) return { width, height }
  const found = JSON.stringify({ width, height })
  throw new IngestError(`${path}: image ${id}: expected whole numbers as "width" and "height", found ${found}`)
}

/** Collects the images of a file; their ids and their file names are each there once. */
const imageList = (): { readonly images: CocoImage[]; readonly ids: Set<number>; readonly visit: Visit } => {
  const images: CocoImage[] = []
  const ids = new Set<number>()
  const names = new Set<string>()
  const visit: Visit = (bytes) => {
    const entry = parse(bytes)
    const id = wholeNumber(entry, "id")
    const filename = text(entry, "file_name")
    if (ids.has(id)) throw new IngestError(`the image id ${id} is there twice; its annotations cannot be told apart`)
    if (names.has(filename)) throw new IngestError(`the file_name ${JSON.stringify(filename)} is there twice`)
    ids.add(id)
    names.add(filename)
    images.push({ id, filename, width: entry.width, height: entry.height })
  }
  return { images, ids, visit }
}

/** @throws {IngestError} when the document lacks one of the keys. */
const checkKeys = (path: string, { values }: Scanned, expected: readonly string[]): void => {
  const missing = expected.filter((key) => !values.has(key))
  if (missing.length === 0) return
  const there = [...values.keys()].join(", ") || "none"
  throw new IngestError(
    `${path}: expected the keys ${expected.join(", ")}, found ${there}; without ${missing.join(", ")} it is no such file`,
  )
}

const warnOfStrangers = (path: string, objects: ByImage, ids: ReadonlySet<number>, warn: Warn): void => {
  const strangers = [...objects.imageIds].filter((id) => !ids.has(id))
  if (strangers.length === 0) return
  const annotations = strangers.reduce((sum, id) => sum + objects.ranges(id).length / 2, 0)
  warn(
    `${path}: left out ${annotations} annotations of ${strangers.length} images that are not in "images" (the first: image_id ${strangers[0]})`,
  )
}

/** The list of categories: the same for every image of the file. */
export interface Categories {
  /** Where it is in the file: start and end, in bytes. */
  readonly range: readonly [start: number, end: number]
  readonly checksum: number
}

const categoryList = () => {
  const ids = new Set<number>()
  let checksum = 0
  const visit: Visit = (bytes) => {
    ids.add(wholeNumber(parse(bytes), "id"))
    checksum = crc32(bytes, checksum)
  }
  const read = ({ values }: Scanned): Categories => {
    const { start, end } = values.get("categories") ?? { start: 0, end: 0 }
    return { range: [start, end], checksum }
  }
  return { ids, visit, read }
}

/** The category ids that annotations use. Categories may stand before them in the file, or after. */
class UsedCategories {
  readonly #ids = new Set<number>()
  highest = 0

  add(id: number): void {
    this.#ids.add(id)
    this.highest = Math.max(this.highest, id)
  }

  warnOfUnknown(path: string, known: ReadonlySet<number>, warn: Warn): void {
    const unknown = [...this.#ids].filter((id) => !known.has(id))
    if (unknown.length === 0) return
    const first = unknown.slice(0, 10).join(", ")
    warn(`${path}: annotations have ${unknown.length} category ids that are not in "categories": ${first}`)
  }
}

interface ReadOptions {
  readonly signal: AbortSignal
  readonly warn: Warn
}

interface Annotated {
  readonly file: NotedFile
  readonly images: readonly CocoImage[]
  /** By image id. */
  readonly annotations: ByImage
  readonly categories: Categories
}

export interface Instances extends Annotated {
  /** The highest category id that is used or listed. */
  readonly maxCategory: number
}

const KEYS = ["images", "annotations", "categories"] as const

/**
 * Reads an instances file (`instances_val2017.json`).
 *
 * @throws {IngestError} naming file, entry and key when something that is needed is missing or of another type, and
 * when an image id or a file name is there twice.
 */
export const readInstances = async (path: string, { signal, warn }: ReadOptions): Promise<Instances> => {
  const { images, ids, visit } = imageList()
  const categories = categoryList()
  const used = new UsedCategories()
  const annotations = new ByImage()
  const scanned = await scanArrays(
    path,
    {
      images: visit,
      categories: categories.visit,
      annotations: (bytes, range) => {
        const entry = parse(bytes)
        used.add(wholeNumber(entry, "category_id"))
        annotations.add(wholeNumber(entry, "image_id"), range, bytes)
      },
    },
    { signal },
  )
  checkKeys(path, scanned, KEYS)
  warnOfStrangers(path, annotations, ids, warn)
  used.warnOfUnknown(path, categories.ids, warn)
  const maxCategory = [...categories.ids].reduce((most, id) => Math.max(most, id), used.highest)
  const file = { path, version: scanned.version }
  return { file, images, annotations, categories: categories.read(scanned), maxCategory }
}

export interface Captions {
  readonly file: NotedFile
  readonly annotations: ByImage
}

/** Reads a captions file (`captions_val2017.json`); of it, only the annotations count. */
export const readCaptions = async (
  path: string,
  imageIds: ReadonlySet<number>,
  { signal, warn }: ReadOptions,
): Promise<Captions> => {
  const annotations = new ByImage()
  const scanned = await scanArrays(
    path,
    { annotations: (bytes, range) => annotations.add(wholeNumber(parse(bytes), "image_id"), range, bytes) },
    { signal },
  )
  checkKeys(path, scanned, ["annotations"])
  warnOfStrangers(path, annotations, imageIds, warn)
  return { file: { path, version: scanned.version }, annotations }
}

export interface Panoptic extends Annotated {
  /** File names of the masks, by image id; the first where an image has several. */
  readonly masks: ReadonlyMap<number, string>
}

/** Reads a panoptic file (`panoptic_val2017.json`): an annotation is a whole image, with a mask of its own. */
export const readPanoptic = async (path: string, { signal, warn }: ReadOptions): Promise<Panoptic> => {
  const { images, ids, visit } = imageList()
  const categories = categoryList()
  const annotations = new ByImage()
  const masks = new Map<number, string>()
  const scanned = await scanArrays(
    path,
    {
      images: visit,
      categories: categories.visit,
      annotations: (bytes, range) => {
        const entry = parse(bytes)
        const imageId = wholeNumber(entry, "image_id")
        if (!Array.isArray(entry.segments_info)) {
          throw new IngestError(`expected a list as "segments_info", found ${found(entry.segments_info)}`)
        }
        if (!masks.has(imageId)) masks.set(imageId, text(entry, "file_name"))
        annotations.add(imageId, range, bytes)
      },
    },
    { signal },
  )
  checkKeys(path, scanned, KEYS)
  warnOfStrangers(path, annotations, ids, warn)
  return { file: { path, version: scanned.version }, images, annotations, categories: categories.read(scanned), masks }
}
