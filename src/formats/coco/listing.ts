/** The images of an annotation file as items: each with the files that its row is made of. */
import { stat } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileVersion } from "../../media/file-version.ts"
import { inside } from "../../media/inside.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { Item, Plain } from "../../model/item.ts"
import type { NotedFile } from "../../readers/byte-ranges.ts"
import type { CocoImage } from "./annotations.ts"

/** Files are looked at in parallel, so many images at a time. */
const AT_ONCE = 64

export type FoundFile = NotedFile & { readonly size: number }

/**
 * The file of that name in a folder.
 *
 * @param what names the name in messages.
 * @throws {IngestError} when it is not there, not inside of the folder, or no regular file.
 */
export const findFile = async (folder: string, name: string, what: string): Promise<FoundFile> => {
  const path = await inside(folder, name, what)
  const status = await stat(path)
  if (!status.isFile()) throw new IngestError(`Not a regular file: ${path}`)
  return { path, version: fileVersion(status), size: status.size }
}

/** An item's own part of what `itemsOf` makes. */
export interface Described {
  readonly files: readonly [image: FoundFile, ...others: FoundFile[]]
  readonly payload: Plain
}

interface ItemsOptions {
  readonly imagesDir: string
  readonly signal: AbortSignal
  /** What the item's rows come from besides its files, in short. */
  readonly fingerprint: (image: CocoImage) => string
  /** @throws what makes the image an item that failed. */
  readonly describe: (image: CocoImage) => Promise<Described>
}

const itemOf = async (image: CocoImage, { imagesDir, fingerprint, describe }: ItemsOptions): Promise<Item> => {
  const id = `${basename(imagesDir)}/${image.filename}`
  const print = fingerprint(image)
  try {
    const { files, payload } = await describe(image)
    const version = [...files.map((file) => file.version), print].join("-")
    return { id, uri: files[0].path, version, bytes: files.reduce((sum, { size }) => sum + size, 0), payload }
  } catch (error) {
    // As long as it cannot be listed, it is the same failure.
    const version = `unlisted-${print}`
    return { id, uri: join(imagesDir, image.filename), version, bytes: 0, error: messageOf(error) }
  }
}

/** Items `<name of the images' folder>/<file_name>`, in the order of `images`. */
export async function* itemsOf(images: readonly CocoImage[], options: ItemsOptions): AsyncGenerator<Item> {
  for (let start = 0; start < images.length; start += AT_ONCE) {
    options.signal.throwIfAborted()
    yield* await Promise.all(images.slice(start, start + AT_ONCE).map((image) => itemOf(image, options)))
  }
}
