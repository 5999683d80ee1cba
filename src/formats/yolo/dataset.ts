/** What a YOLO dataset says about itself: the names of its classes, and which folders are which split. */
import { stat } from "node:fs/promises"
import { join, posix as paths } from "node:path"
import { IngestError, messageOf } from "../../model/errors.ts"
import { readClassNames, readSmallText } from "../class-names.ts"
import { splitOfName } from "../pictures.ts"

const DESCRIPTIONS = ["data.yaml", "data.yml", "dataset.yaml", "dataset.yml"]
/** Ultralytics and labelImg write the first, Darknet and CVAT the second. */
const LISTS = ["classes.txt", "obj.names", "labels/classes.txt", "data/obj.names"]

export interface Dataset {
  /** The name of each class; undefined where nothing says them. */
  readonly names: readonly string[] | undefined
  /** Folders of splits by the description, relative to the dataset. */
  readonly folders: readonly (readonly [folder: string, split: string])[]
}

/** `names` of a description: a list, or a mapping from 0, 1, 2 ... */
const namesOf = (names: unknown, path: string): string[] | undefined => {
  if (names === undefined || names === null) return undefined
  if (Array.isArray(names)) return names.map(String)
  const entries = typeof names === "object" ? Object.entries(names) : []
  const found = entries.map(([key, name]): [number, string] => [Number(key), String(name)])
  found.sort(([a], [b]) => a - b)
  if (entries.length === 0 || found.some(([key], index) => key !== index)) {
    throw new IngestError(
      `${path}: expected "names" to be a list, or a mapping of 0, 1, 2 ... to names, found ${JSON.stringify(names).slice(0, 80)}`,
    )
  }
  return found.map(([, name]) => name)
}

const KEYS = [
  ["train", "train"],
  ["val", "validation"],
  ["validation", "validation"],
  ["test", "test"],
] as const

/** The folders that `train`, `val` and `test` name, as paths inside of the dataset. */
const foldersOf = (description: Readonly<Record<string, unknown>>): [string, string][] => {
  const folders: [string, string][] = []
  for (const [key, split] of KEYS) {
    for (const entry of [description[key]].flat()) {
      if (typeof entry !== "string") continue
      // Exports of Roboflow say ../train/images and mean train/images: Ultralytics reads them so, too.
      const path = paths.normalize(entry).replace(/^(\.\.\/)+/, "")
      // A list of files, and what lies elsewhere, names no folder in here; folder names may still say the split.
      if (!/\.txt$/.test(path) && !paths.isAbsolute(path)) folders.push([path.replace(/\/+$/, ""), split])
    }
  }
  return folders
}

const readDescription = async (path: string): Promise<Dataset> => {
  const { parse } = await import("yaml")
  const text = await readSmallText(path)
  let description: unknown
  try {
    description = parse(text, { schema: "core", maxAliasCount: 10, logLevel: "error" })
  } catch (error) {
    const deep = error instanceof Error && "code" in error && error.code === "RESOURCE_EXHAUSTION"
    throw new IngestError(`${path}: ${deep ? "nested too deep" : messageOf(error).split("\n")[0]}`, { cause: error })
  }
  if (typeof description !== "object" || description === null || Array.isArray(description)) {
    throw new IngestError(`${path}: expected a mapping with "names", found something else`)
  }
  const fields = description as Readonly<Record<string, unknown>>
  if (fields.kpt_shape !== undefined) {
    throw new IngestError(`${path}: has "kpt_shape"; lines with keypoints (pose) are not read, boxes and polygons are`)
  }
  return { names: namesOf(fields.names, path), folders: foldersOf(fields) }
}

const namesIn = async (path: string): Promise<readonly string[]> => {
  if (!/\.ya?ml$/i.test(path)) return readClassNames(path)
  const { names } = await readDescription(path)
  if (names && names.length > 0) return names
  throw new IngestError(`${path}: expected "names", found none`)
}

const firstOf = async (dir: string, files: readonly string[]): Promise<string | undefined> => {
  for (const file of files) {
    const path = join(dir, file)
    if ((await stat(path).catch(() => undefined))?.isFile()) return path
  }
  return undefined
}

/**
 * @param classNames the names, or the path of a file with one a line (or a `data.yaml`); by default they are looked
 * for in the dataset: `data.yaml`, `classes.txt`, `obj.names`.
 * @throws {IngestError} when a file is missing, too large, or does not hold what it should.
 */
export const readDataset = async (dir: string, classNames?: string | readonly string[]): Promise<Dataset> => {
  const description = await firstOf(dir, DESCRIPTIONS)
  const described = description === undefined ? undefined : await readDescription(description)
  const folders = described?.folders ?? []
  if (typeof classNames === "string") return { names: await namesIn(classNames), folders }
  if (classNames) return { names: classNames, folders }
  if (described?.names) return { names: described.names, folders }
  const list = await firstOf(dir, LISTS)
  return { names: list === undefined ? undefined : await namesIn(list), folders }
}

/** The split of a folder: what the description says of it or of one above, else what a name in its path says. */
export const splitOf = ({ folders }: Dataset, folder: string): string | undefined => {
  const described = folders.find(([path]) => folder === path || folder.startsWith(`${path}/`))
  if (described) return described[1]
  for (const name of folder.split("/")) {
    const split = splitOfName(name)
    if (split !== undefined) return split
  }
  return undefined
}
