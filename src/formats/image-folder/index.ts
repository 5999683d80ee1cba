/**
 * Folders of pictures for classification: a folder a class, below `train`, `val` and `test` or not; or pictures with
 * what `metadata.csv` (`.jsonl`, `.parquet`) says of them. The conventions are those of the Hugging Face Hub
 * (https://huggingface.co/docs/datasets/image_dataset) and of torchvision's ImageFolder.
 */
import { resolve } from "node:path"
import { type Column, textColumn } from "../../model/column.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type FormatComponent, type ItemFormat } from "../../model/format.ts"
import { columnOf } from "../../model/infer.ts"
import type { Plain } from "../../model/item.ts"
import type { Normalize } from "../../model/normalizer.ts"
import type { ColumnType, Schema, SchemaMap } from "../../model/types.ts"
import { readClassNames } from "../class-names.ts"
import { checkFolder, PICTURE_FIELDS, pictureRow, readFileOf } from "../pictures.ts"
import { columnsOf } from "../standalone.ts"
import { listPictures, type Payload } from "./listing.ts"

export interface ImageFolderOptions {
  /** Folder of the dataset; a relative one is relative to the working directory. */
  readonly dir: string
  /**
   * Names of the classes in the order of their numbers, or the path of a file with one a line. Give them where numbers
   * have to stay the same although folders come and go; a picture in a folder of another name is a dead letter. Default:
   * the names of the folders, sorted.
   */
  readonly classNames?: string | readonly string[]
  /** Make thumbnails of the pictures, decoding them. Default: true. */
  readonly thumbnails?: boolean
  /** What happens to symbolic links inside of the folder. Default: `skip`. */
  readonly symlinks?: "skip" | "follow"
}

const REVISION = 1

/** `split` and the two of the label are there where the dataset has them. */
const SCHEMA = {
  image: "IMAGE",
  filename: "TEXT",
  split: "TEXT",
  label: "CLASS_LABEL",
  label_name: "TEXT",
} as const satisfies SchemaMap

/** A value of metadata as it was read: integers that a number cannot hold came as text. */
const cellOf = (value: Plain | undefined, type: ColumnType): unknown =>
  type.name === "INT64" && typeof value === "string" ? BigInt(value) : value

const labelColumns = (label: number | null, classes: readonly string[]): Record<string, Column | undefined> => ({
  label: columnOf("label", [label], { name: "CLASS_LABEL", names: classes }),
  label_name: textColumn([label === null ? null : classes[label]]),
})

export const normalizeImageFolder: Normalize = async function* (item, options, context) {
  const { picture, split, label = null, classes, columns = [], values = [] } = item.payload as Payload
  const bytes = readFileOf({ ...item, version: picture }, context.maxBytes)
  const made: Record<string, Column | undefined> = {
    filename: textColumn([item.id.replace(/#\d+$/, "")]),
    ...(split !== undefined && { split: textColumn([split]) }),
    ...(classes && labelColumns(label, classes)),
    ...Object.fromEntries(
      columns.map(({ name, type }, index) => {
        const known = type as unknown as ColumnType
        return [name, columnOf(name, [cellOf(values[index], known)], known)]
      }),
    ),
  }
  const known = Object.fromEntries(Object.entries(made).filter((entry): entry is [string, Column] => !!entry[1]))
  yield {
    ...(await pictureRow(item, bytes, known, { thumbnails: options.thumbnails === true, ...context })),
    medium: "image_folder",
  }
}

/**
 * Pictures in folders: one row a picture, with the class that its folder is (`label`, `label_name`) and its `split`, or
 * with the columns of the metadata that names it.
 *
 * A picture that cannot be decoded is a dead letter; so is a row of metadata whose `file_name` is absolute, a URL, goes
 * up with `..`, leads out of the dataset through a link, or is not there.
 *
 * @example
 * ```ts
 * await client.ingest("flowers", null, { format: new ImageFolder({ dir: "flowers" }) })
 * ```
 */
export class ImageFolder implements ItemFormat {
  readonly #options: ImageFolderOptions

  constructor(options: ImageFolderOptions) {
    this.#options = options
  }

  feed(types: Schema): Feed {
    const { classNames: given, symlinks = "skip", thumbnails = true } = this.#options
    const dir = resolve(this.#options.dir)
    const recipe = recipeOf("image_folder", REVISION, thumbnails)
    return {
      source: {
        name: "image_folder",
        items: async function* (context) {
          await checkFolder(dir)
          const classNames = typeof given === "string" ? await readClassNames(given) : given
          yield* listPictures({ dir, classNames, symlinks, types }, context)
        },
      },
      code: { module: import.meta.url, name: "normalizeImageFolder", options: { thumbnails } },
      route: () => ({ lane: "thread", recipe }),
    }
  }

  schema(): SchemaMap {
    return SCHEMA
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed(new Map()))
  }
}

export const imageFolder: FormatComponent = Format.define({
  type: "image_folder",
  description: "Pictures in folders that are classes, or with metadata.csv (.jsonl, .parquet) beside them.",
  fields: {
    dir: { type: "text", description: "Folder of the dataset; relative ones from the working directory." },
    class_names: {
      type: "texts",
      optional: true,
      description:
        "Names of the classes in the order of their numbers, or one path of a file with them. Default: the folders, sorted.",
    },
    ...PICTURE_FIELDS,
  },
  make: ({ dir, class_names, thumbnails, symlinks }) =>
    new ImageFolder({ dir, thumbnails, symlinks, ...(class_names !== undefined && { classNames: class_names }) }),
})
