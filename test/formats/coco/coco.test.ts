import { mkdir, readFile, rename, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { Coco, type CocoOptions } from "../../../src/formats/coco/coco.ts"
import { encodeCounts } from "../../../src/media/mask/rle.ts"
import type { Batch } from "../../../src/model/batch.ts"
import { ConfigError, IngestError } from "../../../src/model/errors.ts"
import type { Summary } from "../../../src/model/events.ts"
import type { SourceContext } from "../../../src/model/source.ts"
import { formatType } from "../../../src/model/types.ts"
import { formatPlan, type RunSettings, run } from "../../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../../src/sinks/memory.ts"
import {
  boxObject,
  CATEGORIES,
  type Document,
  type Entry,
  fileName,
  HEIGHT,
  imagesOf,
  WIDTH,
  writeJson,
  writePictures,
} from "../../fixtures/coco.ts"
import { collect } from "../../fixtures/collect.ts"
import { picture } from "../../fixtures/image.ts"
import { readGreyPng } from "../../fixtures/inflate.ts"
import { rowsOf } from "../../fixtures/plans.ts"
import { tempFolder } from "../../fixtures/temp.ts"

let root = ""
let instances: Document
let captions: { annotations: Entry[] }

beforeEach(async () => {
  root = await tempFolder()
  const images = imagesOf(4)
  await writePictures(join(root, "tiny2017"), images)
  instances = {
    images,
    annotations: [
      // In no order of their images, as in the real files.
      boxObject(1, 102, 1, [0, 0, 10, 10]),
      boxObject(2, 100, 18, [5, 5, 20, 10]),
      boxObject(3, 100, 1, [10, 8, 4, 4]),
      boxObject(4, 102, 18, [5, 5, 10, 10], { keypoints: [6, 6, 2, 0, 0, 0], num_keypoints: 1 }),
      boxObject(5, 100, 200, [0, 0, 40, 30], { iscrowd: 1, segmentation: { size: [30, 40], counts: [0, 600, 600] } }),
      boxObject(6, 101, 18, [0, 0, 2, 30], {
        segmentation: { size: [30, 40], counts: encodeCounts([0, 60, 1140]) },
      }),
    ],
    categories: [...CATEGORIES],
  }
  captions = {
    annotations: [
      { id: 1, image_id: 101, caption: "A dog." },
      { id: 2, image_id: 100, caption: "A “person” and a dog." },
      { id: 3, image_id: 101, caption: "Another one." },
    ],
  }
})

const folder = (): string => join(root, "tiny2017")

/** Writes the annotation files as they stand. */
const write = async (): Promise<void> => {
  await writeJson(join(root, "annotations"), "instances_tiny2017.json", instances)
  await writeJson(join(root, "annotations"), "captions_tiny2017.json", captions)
}

const USER_COLUMNS = [
  "coco_image_id",
  "image",
  "mask",
  "width",
  "height",
  "filename",
  "captions",
  "annotations",
  "categories",
  "num_objects",
]

interface Ran {
  readonly summary: Summary
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  /** What failed, or is not whole, by item. */
  readonly records: Readonly<Record<string, string>>
  readonly batch: Batch
}

const ingest = async (
  options: Partial<CocoOptions> = {},
  database = new MemoryDatabase(),
  settings: RunSettings = {},
): Promise<Ran> => {
  const format = new Coco({ imagesDir: folder(), thumbnails: false, ...options })
  const sink = memory({ table: "t", database })
  const summary = await run(formatPlan({ name: "coco", format, sink }, { workers: { threads: 1 }, ...settings }))
  const batch = database.rows("t")
  const records = rowsOf(database.rows("t__items"), ["_item", "error"])
  return {
    summary,
    rows: rowsOf(batch),
    records: Object.fromEntries(records.map(({ _item, error }) => [_item, String(error)])),
    batch,
  }
}

/** The mask's rows as texts: a letter for each label, a dot for none. */
const drawn = (mask: unknown): string[] => {
  const { width, height, samples } = readGreyPng(mask as Uint8Array)
  const letters = samples.map((label) => (label === 0 ? "." : ({ 1: "p", 18: "d", 200: "w" }[label] ?? "?"))).join("")
  return Array.from({ length: height }, (_, y) => letters.slice(y * width, (y + 1) * width))
}

const json = (text: unknown): unknown => JSON.parse(String(text))

describe("Coco", () => {
  it("gives a row an image: the columns, their types, and what is in them", async () => {
    await write()
    const { summary, rows, records, batch } = await ingest()
    expect(summary).toMatchObject({ ending: "complete", rows: 4, rowsByMedium: { coco: 4 }, warnings: [] })
    expect(records).toEqual({})
    const names = [...batch.columns.keys()].filter((name) => !name.startsWith("_"))
    expect(names).toEqual(USER_COLUMNS)
    const types = names.map((name) => [name, formatType(batch.columns.get(name)?.type ?? { name: "BOOL" })])
    expect(Object.fromEntries(types)).toEqual(new Coco({ imagesDir: folder() }).schema())
    expect(rows.map((row) => row._item)).toEqual([0, 1, 2, 3].map((i) => `tiny2017/${fileName(i)}`))

    const [first, second, third, last] = rows
    expect(first).toMatchObject({
      coco_image_id: 100n,
      image: new Uint8Array(await readFile(join(folder(), fileName(0)))),
      width: WIDTH,
      height: HEIGHT,
      filename: fileName(0),
      num_objects: 3,
    })
    expect(json(first?.captions)).toEqual(["A “person” and a dog."])
    expect(json(second?.captions)).toEqual(["A dog.", "Another one."])
    expect(json(first?.annotations)).toEqual([
      { bbox: [5, 5, 20, 10], category_id: 18, area: 200, iscrowd: 0 },
      { bbox: [10, 8, 4, 4], category_id: 1, area: 16, iscrowd: 0 },
      { bbox: [0, 0, 40, 30], category_id: 200, area: 1200, iscrowd: 1 },
    ])
    for (const row of rows) expect(json(row.categories)).toEqual(CATEGORIES)

    // The crowd is the left half, below all; the person stands in front of the dog.
    const crowd = "w".repeat(20) + ".".repeat(20)
    const dog = "w".repeat(5) + "d".repeat(20) + ".".repeat(15)
    const person = `wwwwwdddddpppp${"d".repeat(11)}${".".repeat(15)}`
    const lines = (count: number, line: string): string[] => new Array<string>(count).fill(line)
    expect(drawn(first?.mask)).toEqual([
      ...lines(5, crowd),
      ...[...lines(3, dog), ...lines(4, person), ...lines(3, dog)],
      ...lines(15, crowd),
    ])
    expect(drawn(second?.mask)).toEqual(lines(30, `dd${".".repeat(38)}`))
    // Of two objects that overlap, the later one is on top.
    expect(drawn(third?.mask)[7]).toBe(`${"p".repeat(5)}${"d".repeat(10)}${".".repeat(25)}`)
    expect(drawn(last?.mask)).toEqual(lines(30, ".".repeat(40)))
    expect(last).toMatchObject({ num_objects: 0, captions: "[]", annotations: "[]" })
  })

  it("takes what is asked for besides: boxes, classes, keypoints, the order of masks, thumbnails", async () => {
    instances.annotations.push(boxObject(7, 102, 200, [0, 0, 30, 30]))
    await write()
    const database = new MemoryDatabase()
    const { rows, batch } = await ingest(
      { boxes: true, keypoints: true, maskOrder: "area", thumbnails: true },
      database,
    )
    expect(formatType(batch.columns.get("boxes")?.type ?? { name: "BOOL" })).toBe("BOUNDING_BOX")
    expect(rows[2]?.boxes).toEqual(Float32Array.of(0, 0, 10, 10, 5, 5, 10, 10, 0, 0, 30, 30))
    expect(rows[3]?.boxes).toEqual(new Float32Array())
    expect(rows.map((row) => json(row.class_ids))).toEqual([[18, 1, 200], [18], [1, 18, 200], []])
    expect(json(rows[2]?.annotations)).toMatchObject([{}, { keypoints: [6, 6, 2, 0, 0, 0], num_keypoints: 1 }, {}])
    expect(json(rows[1]?.annotations)).toEqual([{ bbox: [0, 0, 2, 30], category_id: 18, area: 60, iscrowd: 0 }])
    // The large one does not hide the small ones, though it comes last.
    expect(drawn(rows[2]?.mask)[7]).toBe(`${"p".repeat(5)}${"d".repeat(10)}${"w".repeat(15)}${".".repeat(10)}`)
    const thumbnails = rowsOf(database.rows("t__thumbnails"), ["_item", "column_name"])
    expect(thumbnails).toHaveLength(16)
    expect(new Set(thumbnails.map((row) => row.column_name))).toEqual(new Set(["image"]))
  })

  it("has pixels of 16 bits where a category id needs them, in all masks alike", async () => {
    instances.categories.push({ id: 1000, name: "far" })
    instances.annotations.push(boxObject(9, 103, 1000, [1, 1, 2, 2]))
    await write()
    const { rows } = await ingest()
    const masks = rows.map((row) => readGreyPng(row.mask as Uint8Array))
    expect(masks.map(({ depth }) => depth)).toEqual([16, 16, 16, 16])
    expect(masks[3]?.samples.filter((label) => label !== 0)).toEqual([1000, 1000, 1000, 1000])
  })

  it("finds its files: by the split's name, by name, by path, or without captions", async () => {
    await write()
    const captionsIn = async (options: Partial<CocoOptions>) => (await ingest(options)).rows.map((row) => row.captions)
    const [annotations, elsewhere] = [join(root, "annotations"), join(root, "elsewhere")]
    expect((await captionsIn({ captionsJson: false })).every((text) => text === "[]")).toBe(true)
    await rename(annotations, elsewhere)
    await expect(ingest()).rejects.toThrow(`File not found: ${annotations}/instances_tiny2017.json`)
    expect((await captionsIn({ annotationsDir: elsewhere }))[3]).toBe("[]")
    await rename(join(elsewhere, "captions_tiny2017.json"), join(root, "mine.json"))
    const { summary } = await ingest({ annotationsDir: elsewhere })
    expect(summary.warnings).toEqual([expect.stringMatching(/^No captions: .*captions_tiny2017\.json is not there/)])
    const named = {
      annotationsDir: elsewhere,
      instancesJson: "instances_tiny2017.json",
      captionsJson: join(root, "mine.json"),
    }
    expect((await captionsIn(named))[1]).toBe('["A dog.","Another one."]')
    await expect(ingest({ ...named, captionsJson: "none.json" })).rejects.toThrow(
      `File not found: ${elsewhere}/none.json`,
    )
    await expect(ingest({ ...named, captionsJson: named.instancesJson })).rejects.toThrow("are the same file")
  })

  it("does again only what has changed: a picture, an object, a caption, the categories", async () => {
    await write()
    const database = new MemoryDatabase()
    expect((await ingest({ maxImages: 2 }, database)).summary.items).toMatchObject({ listed: 2, done: 2 })
    expect((await ingest({}, database)).summary.items).toMatchObject({ listed: 4, done: 2, unchanged: 2 })
    const counts = async () => (await ingest({}, database)).summary.items
    expect(await counts()).toMatchObject({ done: 0, unchanged: 4 })
    await utimes(join(folder(), fileName(0)), 1, 1)
    expect(await counts()).toMatchObject({ outdated: 1, unchanged: 3 })
    instances.annotations[0] = boxObject(1, 102, 1, [0, 0, 10, 11])
    await write()
    expect(await counts()).toMatchObject({ outdated: 2, unchanged: 2 })
    captions.annotations.reverse()
    await write()
    expect(await counts()).toMatchObject({ outdated: 3, unchanged: 1 })
    instances.categories = [{ id: 1, name: "human" }, ...CATEGORIES.slice(1)]
    await write()
    expect(await counts()).toMatchObject({ outdated: 4 })
    expect((await ingest({ maskOrder: "area" }, new MemoryDatabase())).summary.items).toMatchObject({ done: 4 })
  })

  it("works alone, in batches", async () => {
    await write()
    const format = new Coco({ imagesDir: folder(), batchSize: 3, boxes: true })
    const batches = await collect(format.normalize() as AsyncIterable<Record<string, ArrayLike<unknown>>>)
    expect(batches.map((batch) => Object.keys(batch))).toEqual(
      [1, 2].map(() => [...USER_COLUMNS, "boxes", "class_ids"]),
    )
    expect(batches.map((batch) => batch.coco_image_id)).toEqual([
      BigInt64Array.of(100n, 101n, 102n),
      BigInt64Array.of(103n),
    ])
    expect(batches[1]?.boxes?.[0]).toEqual(new Float32Array())
    await rm(join(folder(), fileName(1)))
    await expect(collect(format.normalize() as AsyncIterable<unknown>)).rejects.toThrow("File not found")
  })

  it("refuses options that do not fit", () => {
    const make = (options: object) => () => new Coco(options as CocoOptions)
    expect(make({})).toThrow(ConfigError)
    expect(make({ imagesDir: "a", maxImages: 0 })).toThrow(
      "Coco.maxImages: expected a whole number of at least 1, found 0",
    )
    expect(make({ imagesDir: "a", batchSize: 1.5 })).toThrow("Coco.batchSize")
    expect(make({ imagesDir: "a", maskOrder: "size" })).toThrow('expected one of file, area, found the text "size"')
  })
})

describe("Coco on bad data", () => {
  it("loses one image to what is wrong with it, and names the file", async () => {
    await writeFile(join(root, "secret.jpg"), await picture(WIDTH, HEIGHT).jpeg().toBuffer())
    const bad = (id: number, file_name: string, more: Entry = {}): Entry => ({
      id,
      file_name,
      width: WIDTH,
      height: HEIGHT,
      ...more,
    })
    instances.images.unshift(
      bad(1, "missing.jpg"),
      bad(2, "../secret.jpg"),
      bad(3, join(root, "secret.jpg")),
      bad(4, "link.jpg"),
      bad(5, "cut.jpg"),
      bad(6, "text.jpg"),
      bad(7, "folder.jpg"),
      bad(8, "flat.jpg", { height: 0 }),
      bad(9, "sizeless.jpg", { width: undefined }),
      bad(10, "huge.jpg", { width: 1e6, height: 1e6 }),
      bad(11, "crowded.jpg"),
    )
    // Small polygons, more of them than an item of 4 MiB may have.
    const small = new Array(20_000).fill([0, 0, 9, 0, 9, 9, 0, 9])
    instances.annotations.push(
      ...[1, 2, 3, 4].map((id) => boxObject(1000 + id, 11, 1, [0, 0, 1, 1], { segmentation: small })),
    )
    await write()
    const whole = await picture(WIDTH, HEIGHT).jpeg().toBuffer()
    await symlink(join(root, "secret.jpg"), join(folder(), "link.jpg"))
    await writeFile(join(folder(), "cut.jpg"), whole.subarray(0, 300))
    await writeFile(join(folder(), "text.jpg"), "this is no picture")
    await mkdir(join(folder(), "folder.jpg"))
    for (const name of ["flat.jpg", "sizeless.jpg", "huge.jpg", "crowded.jpg"])
      await writeFile(join(folder(), name), whole)
    const database = new MemoryDatabase()
    const settings = { maxItemBytes: 4 << 20 }
    const { summary, records, rows } = await ingest({}, database, settings)
    expect(summary.items).toMatchObject({ listed: 15, done: 4, partial: 0, failed: 11 })
    expect(rows.map((row) => row.coco_image_id)).toEqual([100n, 101n, 102n, 103n])
    const path = (name: string): string => join(folder(), name)
    const file = join(root, "annotations/instances_tiny2017.json")
    expect(records).toEqual({
      "tiny2017/missing.jpg": `File not found: ${path("missing.jpg")}`,
      "tiny2017/../secret.jpg": `${file}: file_name of image 2: expected a path inside of ${folder()}, found "../secret.jpg", which goes up with ".."`,
      [`tiny2017/${root}/secret.jpg`]: expect.stringContaining("which is absolute"),
      "tiny2017/link.jpg": expect.stringContaining(`which leads to ${root}/secret.jpg`),
      "tiny2017/cut.jpg": expect.stringContaining(`${path("cut.jpg")}: Damaged JPEG: cut off`),
      "tiny2017/text.jpg": expect.stringContaining(`${path("text.jpg")}: Expected a picture`),
      "tiny2017/folder.jpg": `Not a regular file: ${path("folder.jpg")}`,
      "tiny2017/flat.jpg": `${file}: image 8: expected whole numbers as "width" and "height", found {"width":40,"height":0}`,
      "tiny2017/sizeless.jpg": expect.stringContaining('image 9: expected whole numbers as "width" and "height"'),
      "tiny2017/huge.jpg": expect.stringMatching(
        /^A mask of 1000000 x 1000000 pixels takes 1\.8 TiB; an item may take at most/,
      ),
      "tiny2017/crowded.jpg": `${file}: 4 annotations of one image have 1.4 MiB; an item may have at most 1.0 MiB`,
    })
    // Known failures are not tried again, until the file is there.
    expect((await ingest({}, database)).summary.items).toMatchObject({ unchanged: 4, failed: 11 })
    await writeFile(path("missing.jpg"), whole)
    expect((await ingest({}, database)).summary.items).toMatchObject({ done: 1, unchanged: 4, failed: 10 })
  })

  it("keeps the row and says what is missing where an object or the size does not fit", async () => {
    const object = (id: number, more: Entry): Entry => boxObject(id, 103, 1, [1, 1, 2, 2], more)
    instances.annotations = [
      object(1, { segmentation: [[1, 2, 3]] }),
      object(2, { segmentation: [[0, 0, 1e9, 0, 1e9, 1e9]] }),
      object(3, { segmentation: { size: [30, 40], counts: [2000] } }),
      object(4, { segmentation: { size: [10, 10], counts: [100] } }),
      object(5, { category_id: 0 }),
      object(6, { category_id: -3 }),
      object(7, { segmentation: "none", bbox: [1, 2, 3], area: undefined, iscrowd: undefined }),
      object(8, {}),
    ]
    instances.images[2] = { ...instances.images[2], width: 41 }
    await write()
    const { summary, rows, records } = await ingest({ boxes: true })
    expect(summary.items).toMatchObject({ listed: 4, done: 4, partial: 2, failed: 0 })
    expect(records[`tiny2017/${fileName(2)}`]).toBe(
      `${join(folder(), fileName(2))} has 40 x 30 pixels, its annotations are for 41 x 30`,
    )
    expect(readGreyPng(rows[2]?.mask as Uint8Array)).toMatchObject({ width: 41, height: 30 })
    expect(records[`tiny2017/${fileName(3)}`]?.split("; ")).toEqual([
      "annotation 1 is not in the mask: polygon 0: expected x and y of at least 3 points, found 3 numbers",
      "annotation 2 is not in the mask: polygon 0: expected coordinates of at most 268435456, found 1000000000",
      "annotation 3 is not in the mask: RLE: the counts run over the 1200 pixels of 40 x 30 at counts[0]",
      "annotation 4 is not in the mask: RLE: expected the size [height, width] of the image, [30,40], found [10,10]",
      "annotation 5 is not in the mask: category_id 0 cannot be a pixel of a mask, which holds 1 to 255",
      "annotation 6 is not in the mask: category_id -3 cannot be a pixel of a mask, which holds 1 to 255",
      'annotation 7 is not in the mask: segmentation: expected a list of polygons, or an RLE { counts, size }, found the text "none"',
      "annotation 7 has no box: expected a bbox of 4 numbers, found a list of 3 values",
    ])
    expect(drawn(rows[3]?.mask)[1]).toBe(`.pp${".".repeat(37)}`)
    expect(rows[3]?.num_objects).toBe(8)
    expect((json(rows[3]?.annotations) as unknown[])[6]).toEqual({
      bbox: [1, 2, 3],
      category_id: 1,
      area: null,
      iscrowd: 0,
    })
    const boxes = rows[3]?.boxes as Float32Array
    expect([...boxes.subarray(24)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN, 1, 1, 2, 2])
    expect(summary.warnings).toEqual([expect.stringMatching(/2 category ids that are not in "categories": 0, -3$/)])
  })

  it("counts annotations of images that are not there", async () => {
    instances.annotations.push(
      boxObject(90, 7, 1, [0, 0, 1, 1]),
      boxObject(91, 7, 1, [0, 0, 1, 1]),
      boxObject(92, 8, 1, [0, 0, 1, 1]),
    )
    captions.annotations.push({ id: 9, image_id: 8, caption: "lost" })
    await write()
    expect((await ingest()).summary.warnings).toEqual([
      expect.stringContaining(
        'instances_tiny2017.json: left out 3 annotations of 2 images that are not in "images" (the first: image_id 7)',
      ),
      expect.stringContaining("captions_tiny2017.json: left out 1 annotations of 1 images"),
    ])
  })

  it.each<[string, (document: Document) => unknown, string]>([
    [
      "no annotations",
      ({ annotations: _, ...rest }) => rest,
      "expected the keys images, annotations, categories, found images, categories; without annotations",
    ],
    [
      "an image id that is there twice",
      (d) => ({ ...d, images: [...d.images, { id: 100, file_name: "b.jpg" }] }),
      "images[4] at byte",
    ],
    [
      "a file name that is there twice",
      (d) => ({ ...d, images: [...d.images, { id: 9, file_name: fileName(0) }] }),
      `the file_name "${fileName(0)}" is there twice`,
    ],
    [
      "an image id that is a text",
      (d) => ({ ...d, images: [{ id: "a", file_name: "b.jpg" }] }),
      'expected a whole number as "id", found "a"',
    ],
    [
      "an image without a file name",
      (d) => ({ ...d, images: [{ id: 1 }] }),
      'expected a text as "file_name", found none',
    ],
    [
      "an annotation without an image id",
      (d) => ({ ...d, annotations: [{ id: 1, category_id: 1 }] }),
      "annotations[0] at byte",
    ],
    [
      "an annotation without a category",
      (d) => ({ ...d, annotations: [{ id: 1, image_id: 100 }] }),
      'expected a whole number as "category_id", found none',
    ],
    ["an annotation that is no object", (d) => ({ ...d, annotations: [7] }), "annotations[0] at byte"],
    ["images that are no list", (d) => ({ ...d, images: {} }), 'expected a list under "images"'],
    ["a list", () => [], 'expected "{", the start of a JSON object, found "["'],
  ])("stops at %s, naming file and key", async (_, spoil, message) => {
    await write()
    const path = await writeJson(join(root, "annotations"), "instances_tiny2017.json", spoil(instances))
    await expect(ingest()).rejects.toThrow(IngestError)
    await expect(ingest()).rejects.toThrow(path)
    await expect(ingest()).rejects.toThrow(message)
  })

  it("stops when the annotation file changes under it, and goes on with what it says then", async () => {
    await write()
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    const plan = formatPlan({ name: "coco", format: new Coco({ imagesDir: folder(), thumbnails: false }), sink })
    const { source } = plan.feed
    const items = async function* (context: SourceContext) {
      const all = await collect(source.items(context))
      // Written anew, with what it said before.
      await utimes(join(root, "annotations/instances_tiny2017.json"), 1, 1)
      yield* all
    }
    const changing = { ...plan, feed: { ...plan.feed, source: { ...source, items } } }
    await expect(run(changing)).rejects.toThrow("instances_tiny2017.json: the file changed or went while it was in use")
    expect((await ingest({}, database)).summary.items).toMatchObject({ listed: 4, done: 4, failed: 0 })
  })
})
