/** COCO datasets with damaged pictures and masks, and with damaged files of annotations. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { Coco } from "../../src/formats/coco/coco.ts"
import { CocoPanoptic } from "../../src/formats/coco/panoptic.ts"
import type { Format } from "../../src/model/format.ts"
import {
  boxObject,
  CATEGORIES,
  HEIGHT,
  imagesOf,
  panopticMask,
  WIDTH,
  writeJson,
  writePictures,
} from "../fixtures/coco.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { type Good, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, folderOf, isNotCut, renamed, runEach, runFormat, silentOnes } from "./outcomes.ts"

const IMAGES = imagesOf(2)
const [FIRST = 0, SECOND = 0] = IMAGES.map(({ id }) => Number(id))

const dir = await tempFolder()
const imagesDir = await writePictures(join(dir, "val"), IMAGES)
const picture = await readFile(join(imagesDir, String(IMAGES[0]?.file_name)))

const INSTANCES = {
  images: IMAGES,
  annotations: [
    boxObject(1, FIRST, 1, [2, 3, 10, 8]),
    boxObject(2, SECOND, 18, [5, 5, 20, 20], { segmentation: { counts: [100, 50, 1050], size: [HEIGHT, WIDTH] } }),
    boxObject(3, SECOND, 200, [0, 0, 9, 9], { iscrowd: 1 }),
  ],
  categories: CATEGORIES,
}

const CAPTIONS = {
  images: IMAGES,
  annotations: [FIRST, SECOND].map((image_id, id) => ({ id, image_id, caption: "a wheel" })),
}

const segments = (image_id: number, file_name: string) => ({
  image_id,
  file_name,
  segments_info: [{ id: 7, category_id: 1, area: 40, bbox: [0, 0, 10, 10], iscrowd: 0 }],
})

it(
  "panoptic masks are what was written, or the image has a record",
  async () => {
    const mask: Good = { name: "mask", extension: "png", bytes: await panopticMask([1, 300, 70_000]) }
    const mutants = [...mutantsOf(mask), ...swappedOf([mask, { name: "jpeg", extension: "jpg", bytes: picture }])]
    const annotations = await writeJson(dir, "masks.json", {
      images: mutants.map(({ name }, id) => ({ ...IMAGES[0], id, file_name: name })),
      annotations: mutants.map(({ name }, id) => segments(id, name)),
      categories: CATEGORIES,
    })
    const format = new CocoPanoptic({
      imagesDir: await folderOf(mutants.map(({ name }) => ({ name, bytes: picture }))),
      masksDir: await folderOf(mutants),
      annotations,
      thumbnails: false,
    })
    const ran = renamed(await runFormat("panoptic masks", format), (item) => item.slice(item.indexOf("/") + 1))
    checkRun(ran, mutants)
    // Each chunk of a PNG has a checksum.
    const isFine = ({ kind }: { readonly kind: string }) => kind === "whole" || kind === "renamed"
    expect(silentOnes(ran, mutants, isFine)).toEqual([])
  },
  TIMEOUT,
)

interface Case {
  readonly document: unknown
  /** Writes the rest of the dataset; gives what reads it, and where the document belongs. */
  readonly prepare: () => Promise<{ readonly format: Format; readonly path: string }>
}

const CASES: Readonly<Record<string, Case>> = {
  instances: {
    document: INSTANCES,
    prepare: async () => {
      const annotationsDir = await tempFolder()
      await writeJson(annotationsDir, "captions_val.json", CAPTIONS)
      const format = new Coco({ imagesDir, annotationsDir, boxes: true, keypoints: true, thumbnails: false })
      return { format, path: join(annotationsDir, "instances_val.json") }
    },
  },
  captions: {
    document: CAPTIONS,
    prepare: async () => {
      const annotationsDir = await tempFolder()
      await writeJson(annotationsDir, "instances_val.json", INSTANCES)
      const format = new Coco({ imagesDir, annotationsDir, thumbnails: false })
      return { format, path: join(annotationsDir, "captions_val.json") }
    },
  },
  panoptic: {
    document: {
      images: IMAGES,
      annotations: [FIRST, SECOND].map((id) => segments(id, "mask.png")),
      categories: CATEGORIES,
    },
    prepare: async () => {
      const masksDir = await folderOf([{ name: "mask.png", bytes: await panopticMask([7]) }])
      const path = join(dir, "panoptic.json")
      return { format: new CocoPanoptic({ imagesDir, masksDir, annotations: path, thumbnails: false }), path }
    },
  },
}

it.each(Object.entries(CASES))(
  "a damaged %s file is refused, or is one of other annotations",
  async (name, { document, prepare }) => {
    const { format, path } = await prepare()
    const mutants = mutantsOf({ name, extension: "json", bytes: Buffer.from(JSON.stringify(document)) })
    expect(await runEach(name, mutants, path, format, isNotCut)).toEqual([])
  },
  TIMEOUT,
)
