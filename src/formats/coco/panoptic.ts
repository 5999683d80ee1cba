/**
 * COCO panoptic datasets (https://cocodataset.org/#format-data, 4): a folder of images, a folder of masks, and a file
 * that says what their segments are. One row an image.
 */
import { resolve } from "node:path"
import { IngestError } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type FormatComponent, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import type { Schema, SchemaMap } from "../../model/types.ts"
import { columnsOf } from "../standalone.ts"
import { readPanoptic, sizeOf } from "./annotations.ts"
import { findFile, itemsOf } from "./listing.ts"
import { checkCount, checkPath } from "./options.ts"
import { type PanopticPayload, panopticCode } from "./panoptic-rows.ts"

export interface CocoPanopticOptions {
  /** Folder of the images; the `file_name` of `images` is looked for in it. */
  readonly imagesDir: string
  /** Folder of the masks; the `file_name` of `annotations` is looked for in it. */
  readonly masksDir: string
  /** Path of the panoptic file, such as `annotations/panoptic_val2017.json`. */
  readonly annotations: string
  /** Rows of a batch that {@link CocoPanoptic.normalize} yields. Default: 100. */
  readonly batchSize?: number | undefined
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
  mask_filename: "TEXT",
  segments_info: "JSON",
  categories: "JSON",
} as const satisfies SchemaMap

type Paths = Pick<CocoPanopticOptions, "imagesDir" | "masksDir" | "annotations">

async function* panopticItems(paths: Paths, context: SourceContext): AsyncGenerator<Item> {
  const { file, images, annotations, categories, masks } = await readPanoptic(paths.annotations, context)
  yield* itemsOf(images, {
    imagesDir: paths.imagesDir,
    signal: context.signal,
    fingerprint: ({ id, width, height }) =>
      recipeOf(id, [String(width), String(height)], annotations.fingerprint(id), categories.checksum),
    describe: async (image) => {
      const { id, filename } = image
      const annotation = annotations.ranges(id)
      const maskFilename = masks.get(id)
      if (maskFilename === undefined || annotation.length !== 2) {
        throw new IngestError(
          `${file.path}: expected one annotation of image ${id} (${filename}), found ${annotation.length / 2}`,
        )
      }
      const found = await findFile(paths.imagesDir, filename, `${file.path}: file_name of image ${id}`)
      const mask = await findFile(paths.masksDir, maskFilename, `${file.path}: file_name of the mask of image ${id}`)
      const payload: PanopticPayload = {
        ...sizeOf(file.path, image),
        imageId: id,
        filename,
        maskFilename,
        image: { path: found.path, version: found.version },
        mask: { path: mask.path, version: mask.version },
        annotations: file,
        annotation,
        categories: categories.range,
      }
      return { files: [found, mask], payload }
    },
  })
}

/**
 * COCO panoptic segmentation, one row an image: `coco_image_id` INT64, `image` IMAGE and `mask` SEGMENT_MASK (both the
 * file's bytes as they are), `width` and `height` INT32 (in pixels, as the annotation file says), `filename` and
 * `mask_filename` TEXT, `segments_info` JSON (the list of the image's segments), `categories` JSON (the list of the
 * file, the same in every row).
 *
 * The pixels of a mask name segments by colour: `id = R + 256 G + 65536 B`, 0 is unlabelled (panopticapi, `rgb2id`).
 * An image whose file, mask or annotation is missing or damaged is a dead letter.
 *
 * @throws {ConfigError} for an option that does not fit.
 * @throws {IngestError} while it is read: when the annotation file is missing, damaged, or lacks something that is needed.
 * @example
 * ```ts
 * const format = new CocoPanoptic({
 *   imagesDir: "coco/val2017",
 *   masksDir: "coco/annotations/panoptic_val2017",
 *   annotations: "coco/annotations/panoptic_val2017.json",
 * })
 * await new Client().ingest("panoptic", null, { format })
 * ```
 */
export class CocoPanoptic implements ItemFormat<typeof COLUMNS> {
  readonly columnTypes = COLUMNS
  readonly #options: CocoPanopticOptions

  constructor(options: CocoPanopticOptions) {
    for (const name of ["imagesDir", "masksDir", "annotations"] as const) {
      checkPath(`CocoPanoptic.${name}`, options[name])
    }
    checkCount("CocoPanoptic.batchSize", options.batchSize)
    this.#options = options
  }

  schema(): SchemaMap {
    return COLUMNS
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
    const { imagesDir, masksDir, annotations } = this.#options
    const paths = { imagesDir: resolve(imagesDir), masksDir: resolve(masksDir), annotations: resolve(annotations) }
    const recipe = recipeOf("coco_panoptic", REVISION, { thumbnails })
    return {
      source: { name: "coco_panoptic", items: (context) => panopticItems(paths, context) },
      code: panopticCode({ thumbnails }),
      route: () => ({ lane: "thread", recipe }),
    }
  }
}

export const cocoPanoptic: FormatComponent = Format.define({
  type: "coco_panoptic",
  description: "COCO panoptic segmentation: a row an image, with its mask as it is.",
  fields: {
    images_dir: { type: "text", description: "Folder of the images." },
    masks_dir: { type: "text", description: "Folder of the masks." },
    annotations: { type: "text", description: "Path of the panoptic file." },
    thumbnails: { type: "boolean", default: true, description: "Make thumbnails of the images, decoding them." },
  },
  make: ({ images_dir, masks_dir, annotations, thumbnails }) =>
    new CocoPanoptic({ imagesDir: images_dir, masksDir: masks_dir, annotations, thumbnails }),
})
