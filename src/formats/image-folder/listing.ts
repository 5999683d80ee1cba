/** The pictures of an image folder as items: by the folders they are in, or by the rows of metadata files. */
import { lstat, stat } from "node:fs/promises"
import { join, posix as paths } from "node:path"
import { posix } from "../../files/glob.ts"
import { CHUNK } from "../../files/walk.ts"
import { IngestError } from "../../model/errors.ts"
import { recipeOf } from "../../model/feed.ts"
import { HashSet, hash64 } from "../../model/hash-set.ts"
import type { Item, Plain } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import type { Schema } from "../../model/types.ts"
import { type FolderOptions, filesIn, folderCheck, isPicture, itemsOfFiles } from "../pictures.ts"
import { type Layout, layoutOf } from "./layout.ts"
import { isMetadata, type MetadataRow, readMetadata } from "./metadata.ts"

export interface ListingOptions {
  /** The dataset, absolute. */
  readonly dir: string
  readonly classNames: readonly string[] | undefined
  readonly symlinks: "skip" | "follow"
  /** Types that the caller asks for. */
  readonly types: Schema
}

/** What the normalizer gets to know of a picture. */
export interface Payload {
  readonly [field: string]: Plain
  /** Fingerprint of the picture's file. */
  readonly picture: string
  /** Absent: the dataset has no splits. */
  readonly split?: string | null
  /** The class by its number in `classes`; absent: the dataset has no classes. One list for all pictures. */
  readonly label?: number | null
  readonly classes?: readonly string[]
  /** Columns of the metadata: names and types (one list for all pictures), and the row's values. */
  readonly columns?: readonly { readonly name: string; readonly type: { readonly [key: string]: Plain } }[]
  readonly values?: readonly Plain[]
}

interface Survey {
  /** Folders that hold pictures, relative to the dataset. */
  readonly folders: readonly string[]
  readonly metadata: readonly string[]
  readonly pictures: number
}

const relativeTo = (dir: string, path: string): string => posix(path.slice(dir.length + (dir.endsWith("/") ? 0 : 1)))

const folderOf = (id: string): string => {
  const folder = paths.dirname(id)
  return folder === "." ? "" : folder
}

/** One pass over names, so that all classes are known before the first picture is read. */
const lookAround = async (options: FolderOptions, signal: AbortSignal): Promise<Survey> => {
  const folders = new Set<string>()
  const metadata: string[] = []
  let pictures = 0
  for await (const chunk of filesIn(options, { signal })) {
    for (const { path, error } of chunk) {
      if (error !== undefined) continue
      const id = relativeTo(options.dir, path)
      if (isMetadata(paths.basename(id))) metadata.push(id)
      else {
        pictures++
        folders.add(folderOf(id))
      }
    }
  }
  return { folders: [...folders], metadata, pictures }
}

const shown = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ")

/** The pictures of a folder, in the order of their paths. */
async function* byFolder(
  folder: FolderOptions,
  { classes, splits, place }: Layout,
  context: SourceContext,
): AsyncGenerator<Item, void, undefined> {
  const numbers = new Map(classes.map((name, index) => [name, index]))
  const shapes = new Map<string, string>()
  for await (const chunk of filesIn(folder, context)) {
    for (const item of await itemsOfFiles(chunk, folder)) {
      if (item.error !== undefined) {
        yield item
        continue
      }
      const { split = null, label } = place(folderOf(item.id))
      const number = label === undefined ? null : numbers.get(label)
      const of = {
        ...(splits && { split }),
        ...(classes.length > 0 && { label: number ?? null, classes }),
      }
      const key = `${split}\0${label}`
      const shape = shapes.get(key) ?? recipeOf(of)
      shapes.set(key, shape)
      const version = `${item.version}~${shape}`
      if (number === undefined) {
        const error = `Folder ${JSON.stringify(label)} is none of the class names (${shown(classes)}). Add it to class_names (classNames), or take the folder away`
        yield { ...item, version, error }
      } else {
        const payload: Payload = { picture: item.version, ...of }
        yield { ...item, version, payload }
      }
    }
  }
}

/** The pictures that metadata names, in its order. */
async function* byMetadata(
  options: ListingOptions,
  folder: FolderOptions,
  survey: Survey,
  context: SourceContext,
): AsyncGenerator<Item, void, undefined> {
  const { dir, symlinks, types } = options
  const follow = symlinks === "follow"
  const { splits, place } = layoutOf(survey.folders)
  const checkFolder = folderCheck(dir, follow)
  const seen = new HashSet()
  /** How often a picture was named, for those that are more than once. */
  const again = new Map<string, number>()
  let found = 0

  const idOf = (path: string): string => {
    if (seen.add(hash64(path))) return path
    const times = (again.get(path) ?? 1) + 1
    again.set(path, times)
    return `${path}#${times}`
  }

  const problemAt = async (path: string): Promise<string | undefined> => {
    const status = await (follow ? stat : lstat)(join(dir, path)).catch(() => undefined)
    if (!status) return `File not found: ${path}`
    if (status.isSymbolicLink()) return `${path} is a symbolic link (symlinks: follow takes it)`
    return checkFolder(folderOf(path) || ".")
  }

  const itemOf = async ({ place: where, file, columns, values }: MetadataRow): Promise<Item> => {
    const failed = (id: string, error: string): Item => ({
      id,
      uri: join(dir, id),
      version: `unread~${recipeOf(values, error)}`,
      bytes: 0,
      error: id === where ? error : `${where}: ${error}`,
    })
    if ("problem" in file) return failed(where, file.problem)
    const { path } = file
    const id = idOf(path)
    const problem = await problemAt(path)
    if (problem !== undefined) return failed(id, problem)
    const [item] = await itemsOfFiles([{ path: join(dir, path) }], folder)
    if (!item || item.error !== undefined) return failed(id, item?.error ?? `File not found: ${path}`)
    if (id === path && isPicture(path)) found++
    const { split = null } = place(folderOf(path))
    const of = { ...(splits && { split }), columns: columns as unknown as NonNullable<Payload["columns"]>, values }
    const payload: Payload = { picture: item.version, ...of }
    return { ...item, id, version: `${item.version}~${recipeOf(of)}`, payload }
  }

  for (const file of survey.metadata) {
    let rows: MetadataRow[] = []
    const take = async function* (): AsyncGenerator<Item> {
      yield* await Promise.all(rows.map(itemOf))
      rows = []
    }
    for await (const row of readMetadata(dir, file, types, context.signal)) {
      rows.push(row)
      if (rows.length >= CHUNK) yield* take()
    }
    yield* take()
  }
  const left = survey.pictures - found
  if (left > 0) {
    context.warn(`${left} of ${survey.pictures} pictures left out: ${shown(survey.metadata)} does not name them`)
  }
}

/** @throws {IngestError} when metadata cannot be read, or stands twice in a folder. */
export async function* listPictures(
  options: ListingOptions,
  context: SourceContext,
): AsyncGenerator<Item, void, undefined> {
  const { dir, symlinks, classNames } = options
  const folder: FolderOptions = { dir, symlinks, take: isPicture }
  const survey = await lookAround({ ...folder, take: (name) => isPicture(name) || isMetadata(name) }, context.signal)
  if (survey.pictures === 0) context.warn(`No pictures found in ${dir}`)
  if (survey.metadata.length > 0) {
    const twice = survey.metadata.find((file, index) => folderOf(file) === folderOf(survey.metadata[index - 1] ?? "/"))
    if (twice !== undefined) {
      throw new IngestError(`Expected one metadata file in a folder, found another: ${twice}. Keep one of them`)
    }
    if (classNames) context.warn("class_names (classNames) count for nothing where there is metadata")
    yield* byMetadata(options, folder, survey, context)
    return
  }
  const layout = layoutOf(survey.folders, classNames)
  if (layout.note !== undefined) context.warn(layout.note)
  yield* byFolder(folder, layout, context)
}
