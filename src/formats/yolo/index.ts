/**
 * YOLO datasets: pictures, each with a text file of boxes or polygons. Layouts that are found by themselves:
 * `images/train/a.jpg` with `labels/train/a.txt` (Ultralytics), `train/images/a.jpg` with `train/labels/a.txt`
 * (Roboflow), and `a.jpg` beside `a.txt` (Darknet).
 */
import { basename, resolve } from "node:path"
import { pictureSize } from "../../media/picture-size.ts"
import { type Column, floatsColumn, int32Column, textColumn } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type FormatComponent, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import type { Normalize } from "../../model/normalizer.ts"
import type { SourceContext } from "../../model/source.ts"
import type { SchemaMap } from "../../model/types.ts"
import { checkFolder, PICTURE_FIELDS, pictureRow, readFileOf } from "../pictures.ts"
import { columnsOf } from "../standalone.ts"
import { readDataset } from "./dataset.ts"
import { parseLabels } from "./labels.ts"
import { listPictures, type Payload } from "./listing.ts"

export interface YoloOptions {
  /** Folder of the dataset. Relative ones, here and below, are relative to the working directory. */
  readonly dir: string
  /** Folder of the pictures. Default: all of `dir`. */
  readonly imagesDir?: string
  /**
   * Folder of the label files, which lie in it as the pictures do in `imagesDir`. Default: where the path of a picture
   * has a folder `images`, the same path with `labels`; otherwise the picture's own folder.
   */
  readonly labelsDir?: string
  /**
   * Names of the classes, or the path of a file with one a line (or of a `data.yaml`). Default: those of `data.yaml`,
   * `classes.txt` or `obj.names` in `dir`.
   */
  readonly classNames?: string | readonly string[]
  /**
   * A picture without a label file is a dead letter (`error`), a row without objects (`empty`), or left out and counted
   * in a warning (`skip`). An empty label file is a row without objects in any case. Default: `error`.
   */
  readonly onMissing?: "error" | "empty" | "skip"
  /** Make thumbnails of the pictures, decoding them. Default: true. */
  readonly thumbnails?: boolean
  /** What happens to symbolic links inside of the folders. Default: `skip`. */
  readonly symlinks?: "skip" | "follow"
}

const REVISION = 1

const SCHEMA = {
  image: "IMAGE",
  filename: "TEXT",
  split: "TEXT",
  width: "INT32",
  height: "INT32",
  boxes: "BOUNDING_BOX",
  labels: "JSON",
  polygons: "JSON",
  class_names: "JSON",
  num_objects: "INT32",
} as const satisfies SchemaMap

const jsonColumn = (value: unknown): Column =>
  textColumn([value === null ? null : JSON.stringify(value)], { name: "JSON" })

const readLabels = (item: Item, { label, labelName }: Payload, maxBytes: number): string => {
  if (!label) return ""
  const [uri, version] = label
  try {
    return new TextDecoder().decode(readFileOf({ ...item, uri, version }, maxBytes))
  } catch (error) {
    throw new IngestError(`${labelName}: ${messageOf(error)}`, { cause: error })
  }
}

export const normalizeYolo: Normalize = async function* (item, options, context) {
  const payload = item.payload as Payload
  const { labelName, split, names } = payload
  const objects = parseLabels(readLabels(item, payload, context.maxBytes), labelName, names?.length)
  const bytes = readFileOf({ ...item, version: payload.picture }, context.maxBytes)
  const { width, height } = await pictureSize(bytes)
  const columns = {
    filename: textColumn([basename(item.uri)]),
    split: textColumn([split]),
    width: int32Column([width]),
    height: int32Column([height]),
    boxes: floatsColumn([objects.boxes], { name: "BOUNDING_BOX" }),
    labels: jsonColumn(objects.labels),
    polygons: jsonColumn(objects.polygons),
    class_names: jsonColumn(names),
    num_objects: int32Column([objects.labels.length]),
  }
  yield {
    ...(await pictureRow(item, bytes, columns, { thumbnails: options.thumbnails === true, ...context })),
    medium: "yolo",
  }
}

async function* list(options: YoloOptions, context: SourceContext): AsyncGenerator<Item, void, undefined> {
  const { onMissing = "error", symlinks = "skip" } = options
  const dir = resolve(options.dir)
  const root = resolve(options.imagesDir ?? options.dir)
  const labelsDir = options.labelsDir === undefined ? undefined : resolve(options.labelsDir)
  for (const folder of new Set([dir, root, labelsDir ?? root])) await checkFolder(folder)
  const dataset = await readDataset(dir, options.classNames)
  if (!dataset.names) {
    context.warn(`No class names found in ${dir} (data.yaml, classes.txt, obj.names): labels are numbers only`)
  }
  yield* listPictures({ dataset, dir, root, labelsDir, onMissing, symlinks }, context)
}

/**
 * A YOLO dataset: one row a picture, with its boxes or polygons. Boxes are four numbers an object, `x_center y_center
 * width height`, as fractions of the picture's size, as in the files; `labels` has the class of each.
 *
 * A picture is a dead letter when it cannot be decoded, when its label file has a line that does not fit (named by file
 * and line) or a class without a name, and, unless `onMissing` says otherwise, when it has no label file.
 *
 * @example
 * ```ts
 * await client.ingest("traffic", null, { format: new Yolo({ dir: "traffic" }) })
 * ```
 */
export class Yolo implements ItemFormat<typeof SCHEMA> {
  readonly columnTypes = SCHEMA
  readonly #options: YoloOptions

  constructor(options: YoloOptions) {
    this.#options = options
  }

  feed(): Feed {
    const { thumbnails = true } = this.#options
    const recipe = recipeOf("yolo", REVISION, thumbnails)
    return {
      source: { name: "yolo", items: (context) => list(this.#options, context) },
      code: { module: import.meta.url, name: "normalizeYolo", options: { thumbnails } },
      route: () => ({ lane: "thread", recipe }),
    }
  }

  schema(): SchemaMap {
    return SCHEMA
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed())
  }
}

export const yolo: FormatComponent = Format.define({
  type: "yolo",
  description: "Pictures with text files of boxes or polygons (YOLO).",
  fields: {
    dir: { type: "text", description: "Folder of the dataset; relative ones from the working directory." },
    images_dir: { type: "text", optional: true, description: "Folder of the pictures. Default: all of `dir`." },
    labels_dir: {
      type: "text",
      optional: true,
      description: "Folder of the label files. Default: `labels` beside `images`, or beside each picture.",
    },
    class_names: {
      type: "texts",
      optional: true,
      description:
        "Names of the classes, or one path of a file with them. Default: those of `data.yaml`, `classes.txt` or `obj.names`.",
    },
    on_missing: {
      type: "choice",
      choices: ["error", "empty", "skip"],
      default: "error",
      description: "A picture without a label file is a dead letter, a row without objects, or left out.",
    },
    ...PICTURE_FIELDS,
  },
  make: ({ dir, images_dir, labels_dir, class_names, on_missing, thumbnails, symlinks }) =>
    new Yolo({
      dir,
      onMissing: on_missing,
      thumbnails,
      symlinks,
      ...(images_dir !== undefined && { imagesDir: images_dir }),
      ...(labels_dir !== undefined && { labelsDir: labels_dir }),
      ...(class_names !== undefined && { classNames: class_names }),
    }),
})
