/**
 * COCO detection datasets (https://cocodataset.org/#format-data): a folder of images, an instances file, and a
 * captions file. One row an image.
 */
import { existsSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { MASK_ORDERS, type MaskOrder } from "../../media/mask/labels.ts"
import { describeValue } from "../../model/describe.ts"
import { ConfigError } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type FormatComponent, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import type { Schema, SchemaMap } from "../../model/types.ts"
import { columnsOf } from "../standalone.ts"
import { type Captions, type CocoImage, readCaptions, readInstances, sizeOf } from "./annotations.ts"
import { type CocoPayload, type CocoRowOptions, cocoCode } from "./coco-rows.ts"
import { findFile, itemsOf } from "./listing.ts"
import { checkCount, checkPath } from "./options.ts"

export interface CocoOptions {
  /** Folder of the images; `file_name` is looked for in it. Its own name is that of the split: `val2017`. */
  readonly imagesDir: string
  /** Default: `annotations` beside `imagesDir`. */
  readonly annotationsDir?: string | undefined
  /** A name in `annotationsDir`, or a path. Default: `instances_<split>.json`. */
  readonly instancesJson?: string | undefined
  /** A name in `annotationsDir`, or a path; false: no captions. Default: `captions_<split>.json`, where it is there. */
  readonly captionsJson?: string | false | undefined
  /** Only the first images of the instances file. Default: all. */
  readonly maxImages?: number | undefined
  /** Rows of a batch that {@link Coco.normalize} yields. Default: 100. */
  readonly batchSize?: number | undefined
  /**
   * Which of two objects that overlap is on top in the mask: the later one in the file (default), or the one with
   * fewer pixels (`area`). Crowds lie below in both.
   */
  readonly maskOrder?: MaskOrder | undefined
  /** Adds the columns `boxes` and `class_ids`. Default: false. */
  readonly boxes?: boolean | undefined
  /** Keeps `keypoints` and `num_keypoints` in `annotations`. Default: false. */
  readonly keypoints?: boolean | undefined
  /** Makes thumbnails of the images, decoding them. Without, only their structure is checked. Default: true. */
  readonly thumbnails?: boolean | undefined
}

/** Goes up when other rows come out for the same files. */
const REVISION = 1

const COLUMNS = {
  coco_image_id: "INT64",
  image: "IMAGE",
  mask: "SEGMENT_MASK",
  width: "INT32",
  height: "INT32",
  filename: "TEXT",
  captions: "JSON",
  annotations: "JSON",
  categories: "JSON",
  num_objects: "INT32",
} as const satisfies SchemaMap

const ALL_COLUMNS = { ...COLUMNS, boxes: "BOUNDING_BOX", class_ids: "JSON" } as const satisfies SchemaMap

/** What the compiler knows: not more than without boxes where it cannot tell whether they were asked for. */
type CocoColumns<Boxes extends boolean> = [Boxes] extends [true] ? typeof ALL_COLUMNS : typeof COLUMNS

interface Paths {
  readonly imagesDir: string
  readonly instances: string
  /** `asked`: it is an error when it is not there. */
  readonly captions: { readonly path: string; readonly asked: boolean } | undefined
}

const pathsOf = (options: CocoOptions): Paths => {
  const imagesDir = resolve(options.imagesDir)
  const annotationsDir = resolve(options.annotationsDir ?? join(imagesDir, "../annotations"))
  const split = basename(imagesDir)
  // A mere name is one of the annotations' folder; anything else is a path as everywhere.
  const place = (name: string): string => (name === basename(name) ? join(annotationsDir, name) : resolve(name))
  const { captionsJson } = options
  return {
    imagesDir,
    instances: place(options.instancesJson ?? `instances_${split}.json`),
    captions:
      captionsJson === false
        ? undefined
        : { path: place(captionsJson ?? `captions_${split}.json`), asked: captionsJson !== undefined },
  }
}

const captionsOf = async (
  { captions, instances }: Paths,
  images: readonly CocoImage[],
  context: SourceContext,
): Promise<Captions | undefined> => {
  if (!captions) return undefined
  if (!captions.asked && !existsSync(captions.path)) {
    context.warn(
      `No captions: ${captions.path} is not there. Name the file in captionsJson (captions_json), or say false`,
    )
    return undefined
  }
  if (captions.path === instances)
    throw new ConfigError(`captionsJson and instancesJson are the same file: ${instances}`)
  return readCaptions(captions.path, new Set(images.map(({ id }) => id)), context)
}

async function* cocoItems(paths: Paths, maxImages: number, context: SourceContext): AsyncGenerator<Item> {
  const { file, images, annotations, categories, maxCategory } = await readInstances(paths.instances, context)
  const captions = await captionsOf(paths, images, context)
  const depth = maxCategory > 255 ? 16 : 8
  yield* itemsOf(images.slice(0, maxImages), {
    imagesDir: paths.imagesDir,
    signal: context.signal,
    fingerprint: ({ id, width, height }) =>
      recipeOf(
        id,
        [String(width), String(height)],
        annotations.fingerprint(id),
        captions?.annotations.fingerprint(id) ?? "",
        categories.checksum,
        depth,
      ),
    describe: async (image) => {
      const { id, filename } = image
      const found = await findFile(paths.imagesDir, filename, `${file.path}: file_name of image ${id}`)
      const payload: CocoPayload = {
        ...sizeOf(file.path, image),
        depth,
        imageId: id,
        filename,
        image: { path: found.path, version: found.version },
        instances: { ...file, ranges: annotations.ranges(id) },
        captions: captions ? { ...captions.file, ranges: captions.annotations.ranges(id) } : null,
        categories: categories.range,
      }
      return { files: [found], payload }
    },
  })
}

const checkOptions = ({ imagesDir, maxImages, batchSize, maskOrder }: CocoOptions): void => {
  checkPath("Coco.imagesDir", imagesDir)
  checkCount("Coco.maxImages", maxImages)
  checkCount("Coco.batchSize", batchSize)
  if (maskOrder !== undefined && !MASK_ORDERS.includes(maskOrder)) {
    throw new ConfigError(
      `Coco.maskOrder: expected one of ${MASK_ORDERS.join(", ")}, found ${describeValue(maskOrder)}`,
    )
  }
}

/**
 * COCO detection with captions, one row an image: `coco_image_id` INT64, `image` IMAGE (the file's bytes), `mask`
 * SEGMENT_MASK (a grey PNG of `width` x `height` pixels that hold the category id of the object on top, 0 where there
 * is none; 8 bits, or 16 where a category id of the file is above 255), `width` and `height` INT32 (in pixels, as the
 * instances file says), `filename` TEXT, `captions` JSON (a list of texts), `annotations` JSON (a list of
 * `{ bbox, category_id, area, iscrowd }`, in file order), `categories` JSON (the list of the file, the same in every
 * row), `num_objects` INT32. With `boxes`, two more: `boxes` BOUNDING_BOX (x, y, width, height of each object, one
 * after the other: 4 floats an object; NaN where an object has none) and `class_ids` JSON (the category id of each).
 *
 * Masks are rasterised as pycocotools does it. An image that is missing or damaged is a dead letter; an object that
 * cannot be drawn is left out of the mask, and the item recorded as partial.
 *
 * @throws {ConfigError} for an option that does not fit.
 * @throws {IngestError} while it is read: when an annotation file is missing, damaged, or lacks something that is needed.
 * @example
 * ```ts
 * await new Client().ingest("coco", null, { format: new Coco({ imagesDir: "coco/val2017" }) })
 * for await (const { mask, captions } of new Coco({ imagesDir: "coco/val2017" }).normalize()) console.log(captions, mask)
 * ```
 */
export class Coco<Boxes extends boolean = false> implements ItemFormat<CocoColumns<Boxes>> {
  readonly columnTypes: CocoColumns<Boxes>
  readonly #options: CocoOptions

  constructor(options: CocoOptions & { readonly boxes?: Boxes | undefined }) {
    checkOptions(options)
    this.#options = options
    this.columnTypes = (options.boxes ? ALL_COLUMNS : COLUMNS) as CocoColumns<Boxes>
  }

  schema(): SchemaMap {
    return this.columnTypes
  }

  feed(_types?: Schema): Feed {
    return this.#feed(this.#options.thumbnails ?? true)
  }

  /** Batches of `batchSize` rows; the first image that cannot be read ends it. Types are those of {@link schema}. */
  normalize(): AsyncIterable<Columns> {
    // Thumbnails go to a table of their own, and here is none.
    return columnsOf(this.#feed(false), this.#options.batchSize ?? 100)
  }

  #feed(thumbnails: boolean): Feed {
    const { maskOrder = "file", boxes = false, keypoints = false, maxImages } = this.#options
    const options: CocoRowOptions = { maskOrder, boxes, keypoints, thumbnails }
    const paths = pathsOf(this.#options)
    const recipe = recipeOf("coco", REVISION, options)
    return {
      source: { name: "coco", items: (context) => cocoItems(paths, maxImages ?? Infinity, context) },
      code: cocoCode(options),
      route: () => ({ lane: "thread", recipe }),
    }
  }
}

export const coco: FormatComponent = Format.define({
  type: "coco",
  description: "COCO detection with captions: a row an image, with its objects drawn into a mask.",
  fields: {
    images_dir: { type: "text", description: "Folder of the images; its own name is that of the split." },
    annotations_dir: { type: "text", optional: true, description: "Default: `annotations` beside `images_dir`." },
    instances_json: {
      type: "text",
      optional: true,
      description: "A name in `annotations_dir`, or a path. Default: `instances_<split>.json`.",
    },
    captions_json: {
      type: "text",
      orFalse: true,
      optional: true,
      description:
        "A name in `annotations_dir`, or a path; false: no captions. Default: `captions_<split>.json`, where it is there.",
    },
    max_images: {
      type: "integer",
      min: 1,
      optional: true,
      description: "Only the first images of the instances file.",
    },
    mask_order: {
      type: "choice",
      choices: MASK_ORDERS,
      default: "file",
      description: "Which of two objects that overlap is on top: the later one (`file`) or the smaller one (`area`).",
    },
    boxes: { type: "boolean", default: false, description: "Add the columns `boxes` and `class_ids`." },
    keypoints: { type: "boolean", default: false, description: "Keep the keypoints in `annotations`." },
    thumbnails: { type: "boolean", default: true, description: "Make thumbnails of the images, decoding them." },
  },
  make: (values) =>
    new Coco({
      imagesDir: values.images_dir,
      annotationsDir: values.annotations_dir,
      instancesJson: values.instances_json,
      captionsJson: values.captions_json,
      maxImages: values.max_images,
      maskOrder: values.mask_order,
      boxes: values.boxes,
      keypoints: values.keypoints,
      thumbnails: values.thumbnails,
    }),
})
