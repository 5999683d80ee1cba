/** The pictures of a YOLO dataset as items, each with its label file. */
import type { Stats } from "node:fs"
import { lstat, stat } from "node:fs/promises"
import { join, posix as paths, relative } from "node:path"
import { posix } from "../../files/glob.ts"
import { codeOf } from "../../files/walk.ts"
import { fileVersion } from "../../media/file-version.ts"
import { messageOf } from "../../model/errors.ts"
import { recipeOf } from "../../model/feed.ts"
import type { Item, Plain } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import { type FolderOptions, filesIn, folderCheck, isPicture, itemsOfFiles, stem } from "../pictures.ts"
import { type Dataset, splitOf } from "./dataset.ts"

export interface ListingOptions {
  readonly dataset: Dataset
  /** Folder of the dataset, absolute: what it says of folders is relative to it. */
  readonly dir: string
  /** Folder of the pictures, absolute; item ids are relative to it. */
  readonly root: string
  /** Folder of the label files where they do not lie as {@link labelOf} says. */
  readonly labelsDir: string | undefined
  readonly onMissing: "error" | "empty" | "skip"
  readonly symlinks: "skip" | "follow"
}

/** What the normalizer gets to know of a picture. */
export interface Payload {
  readonly [field: string]: Plain
  /** Fingerprint of the picture's file. */
  readonly picture: string
  /** Path and fingerprint of the label file; null: it has none. */
  readonly label: readonly [path: string, version: string] | null
  /** The label file for messages: relative to the dataset. */
  readonly labelName: string
  readonly split: string | null
  /** One list for all pictures: it crosses to a worker once for each task. */
  readonly names: readonly string[] | null
}

/**
 * The label file of a picture, as Ultralytics finds it (`img2label_paths`): the last folder `images` of its path becomes
 * `labels`; without one, it lies beside the picture.
 */
export const labelOf = (picture: string): string => {
  const parts = `${stem(picture)}.txt`.split("/")
  const images = parts.lastIndexOf("images", -2)
  if (images >= 0) parts[images] = "labels"
  return parts.join("/")
}

/** A label file in a folder `labels`, where nothing else is expected but labelImg's list of classes. */
const isLabel = (path: string): boolean => /[/\\]labels[/\\]/.test(path) && /(?<![/\\]classes)\.txt$/.test(path)

type Found = { readonly version: string; readonly bytes: number } | { readonly problem: string } | undefined

/** Looks at a label file; undefined when there is none. */
const lookUp = async (base: string, name: string, follow: boolean): Promise<Found> => {
  const path = join(base, name)
  let status: Stats
  try {
    status = await (follow ? stat : lstat)(path)
  } catch (error) {
    return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR"
      ? undefined
      : { problem: `Cannot look at ${name}: ${messageOf(error)}` }
  }
  if (status.isSymbolicLink()) return { problem: `${name} is a symbolic link (symlinks: follow takes it)` }
  if (!status.isFile()) return { problem: `Expected a regular file, found something else: ${name}` }
  return { version: fileVersion(status), bytes: status.size }
}

/** Pictures in the order of their paths. */
export async function* listPictures(
  { dataset, dir, root, labelsDir, onMissing, symlinks }: ListingOptions,
  context: SourceContext,
): AsyncGenerator<Item, void, undefined> {
  const names = dataset.names ?? null
  const base = labelsDir ?? root
  const prefix = posix(relative(dir, root))
  const follow = symlinks === "follow"
  const checkFolder = folderCheck(base, follow)
  const count = { pictures: 0, missing: 0, labels: 0, used: 0 }
  const shapes = new Map<string | undefined, string>()
  /** What besides the files shapes a row. */
  const shapeOf = (split: string | undefined): string => {
    const known = shapes.get(split) ?? recipeOf(split ?? null, names)
    shapes.set(split, known)
    return known
  }

  const labelled = async (item: Item): Promise<Item | undefined> => {
    if (item.error !== undefined) return item
    count.pictures++
    const labelName = labelsDir === undefined ? labelOf(item.id) : `${stem(item.id)}.txt`
    const split = splitOf(dataset, paths.join(prefix, paths.dirname(item.id)))
    const found = await lookUp(base, labelName, follow)
    const version = (label: string): string => `${item.version}+${label}~${shapeOf(split)}`
    const fail = (error: string, label: string): Item => ({ ...item, version: version(label), error })
    if (found && "problem" in found) return fail(found.problem, "unread")
    if (!found) {
      count.missing++
      if (onMissing === "skip") return undefined
      if (onMissing === "error") {
        return fail(
          `No label file: expected ${labelName}. Add it (an empty one says that there are no objects), or set on_missing (onMissing) to empty or skip`,
          "missing",
        )
      }
    } else {
      count.used++
      const problem = await checkFolder(paths.dirname(labelName))
      if (problem !== undefined) return fail(problem, "unread")
    }
    const payload: Payload = {
      picture: item.version,
      label: found ? [join(base, labelName), found.version] : null,
      labelName,
      split: split ?? null,
      names,
    }
    return { ...item, version: version(found?.version ?? "empty"), bytes: item.bytes + (found?.bytes ?? 0), payload }
  }

  const folder: FolderOptions = { dir: root, symlinks, take: (name, path) => isPicture(name) || isLabel(path) }
  for await (const chunk of filesIn(folder, context)) {
    const pictures = chunk.filter(({ path, error }) => error !== undefined || isPicture(path))
    count.labels += chunk.length - pictures.length
    const items = await Promise.all((await itemsOfFiles(pictures, folder)).map(labelled))
    for (const item of items) if (item) yield item
  }

  if (count.pictures === 0) context.warn(`No pictures found in ${root}`)
  else if (count.missing === count.pictures && onMissing !== "error") {
    context.warn(`No picture has a label file; looked in ${base}. Name their folder in labels_dir (labelsDir)`)
  } else if (onMissing === "skip" && count.missing > 0) {
    context.warn(
      `${count.missing} of ${count.pictures} pictures left out, as they have no label file (on_missing: skip)`,
    )
  }
  if (labelsDir === undefined && count.labels > count.used) {
    context.warn(`${count.labels - count.used} of ${count.labels} label files belong to no picture`)
  }
}
