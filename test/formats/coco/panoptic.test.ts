import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { CocoPanoptic, type CocoPanopticOptions } from "../../../src/formats/coco/panoptic.ts"
import { ConfigError } from "../../../src/model/errors.ts"
import { formatType } from "../../../src/model/types.ts"
import { formatPlan, run } from "../../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../../src/sinks/memory.ts"
import {
  CATEGORIES,
  type Document,
  fileName,
  HEIGHT,
  imagesOf,
  panopticMask,
  WIDTH,
  writeJson,
  writePictures,
} from "../../fixtures/coco.ts"
import { collect } from "../../fixtures/collect.ts"
import { picture } from "../../fixtures/image.ts"
import { rowsOf } from "../../fixtures/plans.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const COUNT = 6

let root = ""
let panoptic: Document
let options: CocoPanopticOptions

const maskName = (index: number): string => fileName(index).replace(".jpg", ".png")
const segments = (index: number) => [{ id: 100_000 + index, category_id: 1, iscrowd: 0, area: HEIGHT }]
const imagePath = (index: number): string => join(options.imagesDir, fileName(index))
const maskPath = (index: number): string => join(options.masksDir, maskName(index))

const write = async (): Promise<void> => {
  await writeJson(root, "panoptic.json", panoptic)
}

beforeEach(async () => {
  root = await tempFolder()
  const images = imagesOf(COUNT)
  options = { imagesDir: join(root, "images"), masksDir: join(root, "masks"), annotations: join(root, "panoptic.json") }
  await writePictures(options.imagesDir, images)
  await mkdir(options.masksDir)
  for (let i = 0; i < COUNT; i++) await writeFile(maskPath(i), await panopticMask([100_000 + i]))
  const annotations = images.map((image, i) => ({
    image_id: image.id,
    file_name: maskName(i),
    segments_info: segments(i),
  }))
  panoptic = { images, annotations: annotations.reverse(), categories: [...CATEGORIES] }
  await write()
})

const ingest = async (database = new MemoryDatabase()) => {
  const sink = memory({ table: "t", database })
  const plan = formatPlan({ name: "p", format: new CocoPanoptic(options), sink }, { workers: { threads: 1 } })
  const summary = await run(plan)
  const records = rowsOf(database.rows("t__items"), ["_item", "error"])
  const batch = database.rows("t")
  return {
    summary,
    batch,
    rows: rowsOf(batch),
    records: Object.fromEntries(records.map(({ _item, error }) => [_item, error])),
  }
}

describe("CocoPanoptic", () => {
  it("gives a row an image, with the bytes of picture and mask as they are", async () => {
    const database = new MemoryDatabase()
    const { summary, rows, batch } = await ingest(database)
    expect(summary).toMatchObject({ rows: COUNT, rowsByMedium: { coco_panoptic: COUNT }, warnings: [] })
    const types = [...batch.columns]
      .filter(([name]) => !name.startsWith("_"))
      .map(([name, { type }]) => [name, formatType(type)])
    expect(types).toEqual([
      ["coco_image_id", "INT64"],
      ["image", "IMAGE"],
      ["mask", "SEGMENT_MASK"],
      ["width", "INT32"],
      ["height", "INT32"],
      ["filename", "TEXT"],
      ["mask_filename", "TEXT"],
      ["segments_info", "JSON"],
      ["categories", "JSON"],
    ])
    expect(Object.fromEntries(types)).toEqual(new CocoPanoptic(options).schema())
    for (const [i, row] of rows.entries()) {
      expect(row).toMatchObject({
        _item: `images/${fileName(i)}`,
        coco_image_id: BigInt(100 + i),
        image: new Uint8Array(await readFile(imagePath(i))),
        mask: new Uint8Array(await readFile(maskPath(i))),
        ...{ width: WIDTH, height: HEIGHT, filename: fileName(i), mask_filename: maskName(i) },
        segments_info: JSON.stringify(segments(i)),
        categories: JSON.stringify(CATEGORIES),
      })
    }
    expect(database.rows("t__thumbnails").rows).toBe(4 * COUNT)
    expect((await ingest(database)).summary.items).toMatchObject({ done: 0, unchanged: COUNT })
    await writeFile(maskPath(2), await panopticMask([7, 8]))
    expect((await ingest(database)).summary.items).toMatchObject({ unchanged: COUNT - 1, outdated: 1 })
  })

  it("loses one image to each file that is missing or damaged, and names it", async () => {
    panoptic.images.push({ id: 900, file_name: "unannotated.jpg", width: WIDTH, height: HEIGHT })
    panoptic.images.push({ id: 901, file_name: "twice.jpg", width: WIDTH, height: HEIGHT })
    panoptic.images.push({ id: 902, file_name: "out.jpg", width: WIDTH, height: HEIGHT })
    const [first] = panoptic.annotations
    panoptic.annotations.push(
      { ...first, image_id: 901 },
      { ...first, image_id: 901 },
      { ...first, image_id: 902, file_name: "../x.png" },
    )
    await writePictures(options.imagesDir, panoptic.images.slice(-3))
    await write()
    await rm(imagePath(0))
    await rm(maskPath(1))
    const image = await readFile(imagePath(2))
    await writeFile(imagePath(2), image.subarray(0, image.length >> 1))
    const mask = await readFile(maskPath(3))
    await writeFile(maskPath(3), mask.with(60, (mask[60] ?? 0) ^ 1))
    await writeFile(maskPath(4), await picture(WIDTH, HEIGHT).jpeg().toBuffer())
    const { summary, records, rows } = await ingest()
    expect(summary.items).toMatchObject({ listed: 9, done: 1, failed: 8 })
    expect(rows.map((row) => row.filename)).toEqual([fileName(5)])
    expect(records).toEqual({
      [`images/${fileName(0)}`]: `File not found: ${imagePath(0)}`,
      [`images/${fileName(1)}`]: `File not found: ${maskPath(1)}`,
      [`images/${fileName(2)}`]: expect.stringContaining(`${imagePath(2)}: Damaged JPEG: cut off`),
      [`images/${fileName(3)}`]: expect.stringContaining(
        `${maskPath(3)}: Damaged PNG: the checksum of the chunk at byte`,
      ),
      [`images/${fileName(4)}`]: expect.stringContaining(`${maskPath(4)}: Expected a PNG, found`),
      "images/unannotated.jpg": `${options.annotations}: expected one annotation of image 900 (unannotated.jpg), found 0`,
      "images/twice.jpg": `${options.annotations}: expected one annotation of image 901 (twice.jpg), found 2`,
      "images/out.jpg": expect.stringContaining("file_name of the mask of image 902: expected a path inside of"),
    })
  })

  it("keeps the row of a mask that has another size, and says so", async () => {
    await writeFile(maskPath(0), await picture(10, 20).png().toBuffer())
    const { summary, records } = await ingest()
    expect(summary.items).toMatchObject({ done: COUNT, partial: 1 })
    expect(records[`images/${fileName(0)}`]).toBe(
      `${maskPath(0)} has 10 x 20 pixels, its annotations are for ${WIDTH} x ${HEIGHT}`,
    )
  })

  it("stops at an annotation file that is none", async () => {
    panoptic.annotations = [{ image_id: 100, file_name: "a.png" }]
    await write()
    await expect(ingest()).rejects.toThrow(`${options.annotations}: annotations[0] at byte`)
    await expect(ingest()).rejects.toThrow('expected a list as "segments_info", found none')
    await rm(options.annotations)
    await expect(ingest()).rejects.toThrow(`File not found: ${options.annotations}`)
    expect(() => new CocoPanoptic({ ...options, masksDir: "" })).toThrow(ConfigError)
  })

  it("works alone, in batches", async () => {
    const format = new CocoPanoptic({ ...options, batchSize: 4 })
    const batches = await collect(format.normalize() as AsyncIterable<Record<string, ArrayLike<unknown>>>)
    expect(batches.map(({ filename }) => filename?.length)).toEqual([4, 2])
    expect(Object.keys(batches[0] ?? {})).toEqual(Object.keys(format.schema()))
  })
})
