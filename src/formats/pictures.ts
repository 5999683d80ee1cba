/** What the formats of picture folders share: the listing of a folder, and a picture's row. */
import { stat } from "node:fs/promises"
import { basename } from "node:path"
import { itemsOf } from "../files/file-items.ts"
import { type Found, type Skipped, walk } from "../files/walk.ts"
import { readImageHeader } from "../media/imageheader.ts"
import { inside } from "../media/inside.ts"
import { readItem } from "../media/itemfile.ts"
import { checkPointer, POINTER_BYTES } from "../media/lfs.ts"
import { batchOf } from "../model/batch.ts"
import { bytesColumn, type Column } from "../model/column.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import type { Fields } from "../model/fields.ts"
import { rowId } from "../model/ids.ts"
import type { Item } from "../model/item.ts"
import type { NormalizeContext, Rows } from "../model/normalizer.ts"
import type { SourceContext } from "../model/source.ts"

/** SVG is not among them: drawing one cannot be stopped. */
const PICTURE = /\.(jpe?g|png|gif|bmp|webp|tiff?|avif)$/i

export const isPicture = (name: string): boolean => PICTURE.test(name)

/** What every format of picture folders lets its user set. */
export const PICTURE_FIELDS = {
  thumbnails: {
    type: "boolean",
    default: true,
    description:
      "Make thumbnails of 32, 64, 128 and 256 pixels, decoding the pictures. Without, only their structure is checked.",
  },
  symlinks: {
    type: "choice",
    choices: ["skip", "follow"],
    default: "skip",
    description: "What to do with symbolic links inside of folders.",
  },
} as const satisfies Fields

export interface FolderOptions {
  /** The folder, absolute. */
  readonly dir: string
  /** What happens to symbolic links inside of it. */
  readonly symlinks: "skip" | "follow"
  /** Which files are wanted, by name. */
  readonly take: (name: string, path: string) => boolean
}

/** @throws {IngestError} when there is no such folder. */
export const checkFolder = async (dir: string): Promise<void> => {
  const status = await stat(dir).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? new IngestError(`Folder not found: ${dir}`, { cause: error }) : error
  })
  if (!status.isDirectory()) throw new IngestError(`Expected a folder, found a file: ${dir}`)
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

/**
 * The wanted files of a folder, with everything in it, by name and a folder where its name sorts, in chunks. Hidden
 * ones are left out. What cannot be looked at comes with `error`. With `warn`, passed-by links are told at the end.
 *
 * @throws the signal's reason, once it is aborted.
 */
export async function* filesIn(
  { dir, symlinks, take }: FolderOptions,
  { signal, warn }: Pick<SourceContext, "signal"> & Partial<SourceContext>,
): AsyncGenerator<readonly Found[], void, undefined> {
  const skipped: Skipped = { hidden: 0, links: 0, cycles: 0, special: 0 }
  yield* walk(dir, {
    file: (path, name) => (name.startsWith(".") || !take(name, path) ? "leave" : "take"),
    folder: (_, name) => (name.startsWith(".") ? "leave" : "take"),
    follow: symlinks === "follow",
    skipped,
    signal,
  })
  if (skipped.links > 0) {
    warn?.(`${plural(skipped.links, "symbolic link")} in ${dir} left out (symlinks: follow takes them)`)
  }
  if (skipped.cycles > 0) warn?.(`${plural(skipped.cycles, "symbolic link")} to a folder above left out in ${dir}`)
}

/** The files of a chunk as items: with their path relative to `dir` as id, size, and fingerprint. */
export const itemsOfFiles = (found: readonly Found[], { dir, symlinks }: FolderOptions): Promise<readonly Item[]> =>
  itemsOf(found, dir, symlinks === "follow")

/**
 * Tells what is wrong with folders that data names: they have to be inside of `base`, whatever links say, unless links
 * are to be followed. Neighbours mostly share a folder, so the last answer is kept.
 */
export const folderCheck = (base: string, follow: boolean) => {
  let last: { readonly folder: string; readonly problem: Promise<string | undefined> } | undefined
  return (folder: string): Promise<string | undefined> => {
    if (follow || folder === ".") return Promise.resolve(undefined)
    if (last?.folder !== folder) {
      last = { folder, problem: inside(base, folder, "Folder").then(() => undefined, messageOf) }
    }
    return last.problem
  }
}

/** The whole file of an item, which must still have its fingerprint. The item's version is that, and nothing else. */
export const readFileOf = (item: Item, maxBytes: number): Uint8Array => {
  const bytes = readItem(item, maxBytes)
  checkPointer(bytes.subarray(0, POINTER_BYTES))
  return bytes
}

/**
 * The row of a picture: its bytes as they are in `image`, then `columns`, and its thumbnails, whose making proves it
 * whole. Without them, only its structure is followed to its end.
 *
 * @throws {IngestError} when the picture cannot be decoded.
 * @throws {WrongLane} when it is too large to be decoded on this lane.
 */
export const pictureRow = async (
  item: Item,
  bytes: Uint8Array,
  columns: Readonly<Record<string, Column>>,
  { thumbnails, lane }: { readonly thumbnails: boolean } & Pick<NormalizeContext, "lane">,
): Promise<Rows> => {
  const batch = batchOf({ image: bytesColumn([bytes], { name: "IMAGE" }), ...columns })
  if (!thumbnails) {
    readImageHeader(bytes)
    return { batch }
  }
  const { thumbnailBatch, thumbnailsOf } = await import("../media/thumbnails.ts")
  const entry = { row: 0, fileId: rowId(item, 0), column: "image", thumbnails: await thumbnailsOf(bytes, { lane }) }
  return { batch, side: { thumbnails: thumbnailBatch([entry]) } }
}

/** The extension of a file's name taken off. */
export const stem = (path: string): string => {
  const name = basename(path)
  const dot = name.lastIndexOf(".")
  return dot > 0 ? path.slice(0, path.length - (name.length - dot)) : path
}

/** Words that name a split, as the Hugging Face Hub reads them (`datasets/data_files.py`, KEYWORDS). */
const SPLITS: readonly (readonly [split: string, words: string])[] = [
  ["train", "train|training"],
  ["validation", "validation|valid|dev|val"],
  ["test", "test|testing|eval|evaluation"],
]
const PATTERNS = SPLITS.map(
  ([split, words]) => [split, new RegExp(`(?:^|[-._ 0-9])(?:${words})(?:$|[-._ 0-9])`)] as const,
)

/**
 * The split that a folder's name says: `train`, `validation` or `test`; the word may stand beside `-`, `.`, `_`, a
 * space or digits (`val2017`). Undefined for other names.
 */
export const splitOfName = (folder: string): string | undefined =>
  PATTERNS.find(([, pattern]) => pattern.test(folder))?.[0]
