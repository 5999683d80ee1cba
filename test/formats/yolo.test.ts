import { symlink } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { Yolo, type YoloOptions } from "../../src/formats/yolo/index.ts"
import { parseLabels } from "../../src/formats/yolo/labels.ts"
import type { Format } from "../../src/model/format.ts"
import { run } from "../../src/pipeline.ts"
import { datasetOf, ingest } from "../fixtures/dataset.ts"
import { bmp, orientedJpeg } from "../fixtures/image.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"
import { tempFolder } from "../fixtures/temp.ts"

const bare = (dir: string, options: Partial<YoloOptions> = {}): Format =>
  new Yolo({ dir, thumbnails: false, ...options })

const pick = (rows: readonly Record<string, unknown>[], ...names: string[]) =>
  rows.map((row) => names.map((name) => row[name]))

/** BOUNDING_BOX holds floats of 32 bits. */
const floats = (...values: number[]) => Float32Array.from(values)

const BOX = "0 0.5 0.5 0.2 0.1\n"

describe("a YOLO dataset", () => {
  it("has a row for each picture: boxes and labels as in its file, size, split, class names, thumbnails", async () => {
    const dir = await datasetOf({
      "data.yaml": "path: ../datasets/pets\ntrain: images/a\nval: images/b\nnames:\n  0: cat\n  1: dog\n",
      "images/a/1.jpg": 50,
      "images/b/2.jpg": 60,
      "images/c/3.jpg": 70,
      "labels/a/1.txt": "1 0.5 0.25 0.5 0.125\r\n\r\n0\t0.75 0.5 0.0625 1\r\n",
      "labels/b/2.txt": "",
      "labels/c/3.txt": "\uFEFF0 0.5 0.5 1 1",
    })
    const { rows, schema, summary, database } = await ingest(new Yolo({ dir }))
    const columns = ["filename", "split", "width", "height", "boxes", "labels", "polygons", "num_objects"]
    expect(pick(rows, "_item", ...columns)).toEqual([
      [
        "images/a/1.jpg",
        "1.jpg",
        "train",
        50,
        40,
        floats(0.5, 0.25, 0.5, 0.125, 0.75, 0.5, 0.0625, 1),
        "[1,0]",
        null,
        2,
      ],
      ["images/b/2.jpg", "2.jpg", "validation", 60, 40, floats(), "[]", null, 0],
      ["images/c/3.jpg", "3.jpg", null, 70, 40, floats(0.5, 0.5, 1, 1), "[0]", null, 1],
    ])
    expect(new Set(rows.map((row) => row.class_names))).toEqual(new Set(['["cat","dog"]']))
    const made = Object.keys(schema).filter((name) => !name.startsWith("_"))
    expect(Object.fromEntries(made.map((name) => [name, schema[name]?.name]))).toEqual(new Yolo({ dir }).schema?.())
    expect(made).toEqual(Object.keys(new Yolo({ dir }).schema?.() ?? {}))
    expect(summary).toMatchObject({ rowsByMedium: { yolo: 3 }, warnings: [] })
    expect(database.rows("t__thumbnails").rows).toBe(12)
    expect((await ingest(new Yolo({ dir }), {}, database)).summary.items).toMatchObject({ unchanged: 3, done: 0 })

    // A label that was mended is another version of its picture.
    await datasetOf({ "labels/b/2.txt": BOX }, dir)
    const mended = await ingest(new Yolo({ dir }), {}, database)
    expect(mended.summary.items).toMatchObject({ unchanged: 2, outdated: 1 })
  })

  it("is found in each of the usual layouts, with names where they usually are", async () => {
    const layouts: readonly (readonly [Record<string, string | number>, unknown[]])[] = [
      [{ "images/val2017/1.jpg": 30, "labels/val2017/1.txt": BOX, "classes.txt": "cat\ndog\n\n" }, ["validation"]],
      [
        { "test/images/1.jpg": 30, "test/labels/1.txt": BOX, "data.yaml": "names: [cat, dog]\ntest: ../test/images" },
        ["test"],
      ],
      [{ "obj_train_data/1.jpg": 30, "obj_train_data/1.txt": BOX, "obj.names": "cat\r\ndog\r\n" }, ["train"]],
      [{ "1.jpg": 30, "1.txt": BOX, "labels/classes.txt": "cat\ndog" }, [null]],
    ]
    for (const [files, split] of layouts) {
      const { rows, summary } = await ingest(bare(await datasetOf(files)))
      expect(pick(rows, "split", "class_names", "num_objects")).toEqual([[...split, '["cat","dog"]', 1]])
      expect(summary.warnings).toEqual([])
    }
  })

  it("takes folders and class names that are given", async () => {
    const dir = await datasetOf({
      "pictures/x/1.jpg": 30,
      "texts/x/1.txt": "1 0.5 0.5 0.2 0.1",
      "names.txt": "a\nb\nc",
    })
    const dirs = { imagesDir: join(dir, "pictures"), labelsDir: join(dir, "texts") }
    for (const classNames of [["a", "b", "c"], join(dir, "names.txt")]) {
      const { rows } = await ingest(bare(dir, { ...dirs, classNames }))
      expect(pick(rows, "_item", "labels", "class_names")).toEqual([["x/1.jpg", "[1]", '["a","b","c"]']])
    }
  })

  it("has its splits by the description, wherever its pictures are said to be", async () => {
    const description = "names: [a]\ntrain: pictures/x\nval: [pictures/y, other]\n"
    const dir = await datasetOf({ "pictures/x/1.jpg": 30, "pictures/y/1.jpg": 30, "data.yaml": description })
    const { rows } = await ingest(bare(dir, { imagesDir: join(dir, "pictures"), onMissing: "empty" }))
    expect(pick(rows, "_item", "split")).toEqual([
      ["x/1.jpg", "train"],
      ["y/1.jpg", "validation"],
    ])
  })

  it("is told the same by a document", async () => {
    const dir = await datasetOf({ "pictures/1.jpg": 30, "pictures/2.jpg": 30, "texts/1.txt": "1 0.5 0.5 0.2 0.1" })
    const document = (more: string) => `version: 1
name: y
format: { type: yolo, dir: ${dir}, images_dir: ${dir}/pictures, labels_dir: ${dir}/texts, ${more} }
sink: { type: memory, table: t }
`
    const right = document("class_names: [a, b], on_missing: empty, thumbnails: false, symlinks: follow")
    expect(await run((await parsePipeline(right, "y.yaml", {})).plan)).toMatchObject({ rows: 2, warnings: [] })
    const wrong = document("on_missing: ignore, classes: 3")
    await expect(parsePipeline(wrong, "y.yaml", {})).rejects.toThrow(/on_missing.*error, empty, skip(.|\n)*classes/)
  })

  it("keeps polygons, with the boxes around them", async () => {
    const dir = await datasetOf({
      "1.jpg": 30,
      "1.txt": "0 0.25 0.5 0.75 0.5 0.5 0.75\n1 0.5 0.5 0.25 0.25\n",
      "classes.txt": "a\nb",
    })
    const { rows } = await ingest(bare(dir))
    expect(pick(rows, "boxes", "labels", "polygons")).toEqual([
      [floats(0.5, 0.625, 0.5, 0.25, 0.5, 0.5, 0.25, 0.25), "[0,1]", "[[0.25,0.5,0.75,0.5,0.5,0.75],null]"],
    ])
  })

  it("has the sizes that are seen, EXIF orientation and BMP included", async () => {
    const dir = await datasetOf({
      "1.jpg": await orientedJpeg(64, 32, 6),
      "2.bmp": bmp(20, 10),
    })
    const { rows } = await ingest(bare(dir, { onMissing: "empty", classNames: ["a"] }))
    expect(pick(rows, "width", "height")).toEqual([
      [64, 32],
      [20, 10],
    ])
  })

  it("without class names has numbers only, and says so", async () => {
    const dir = await datasetOf({ "1.jpg": 30, "1.txt": "79 0.5 0.5 0.2 0.1" })
    const { rows, summary } = await ingest(bare(dir))
    expect(pick(rows, "labels", "class_names")).toEqual([["[79]", null]])
    expect(summary.warnings).toEqual([expect.stringMatching(/^No class names found in .*: labels are numbers only/)])
  })
})

describe("a picture without a label file", () => {
  const dataset = () =>
    datasetOf({ "images/1.jpg": 30, "images/2.jpg": 30, "labels/1.txt": BOX, "labels/9.txt": BOX, "classes.txt": "a" })
  const orphan = "1 of 2 label files belong to no picture"

  it("is a dead letter, a row without objects, or left out", async () => {
    const dir = await dataset()
    const error = await ingest(bare(dir))
    expect(error.summary.items).toMatchObject({ done: 1, failed: 1 })
    expect(error.failures["images/2.jpg"]).toMatch(/^No label file: expected labels\/2\.txt\. .*on_missing/)
    expect(error.summary.warnings).toEqual([orphan])

    // What failed before is tried again, as another answer is asked for now.
    const empty = await ingest(bare(dir, { onMissing: "empty" }), {}, error.database)
    expect(empty.summary.items).toMatchObject({ unchanged: 1, done: 1, failed: 0 })
    expect(pick(empty.rows, "filename", "num_objects")).toEqual([
      ["1.jpg", 1],
      ["2.jpg", 0],
    ])

    const skip = await ingest(bare(dir, { onMissing: "skip" }))
    expect(skip.summary.items).toMatchObject({ listed: 1, done: 1 })
    expect(skip.summary.warnings[0]).toMatch(/^1 of 2 pictures left out, as they have no label file/)
  })

  it("is told in a warning when no picture has one", async () => {
    const dir = await datasetOf({ "images/1.jpg": 30, "annotations/1.txt": BOX, "classes.txt": "a" })
    const { summary } = await ingest(bare(dir, { onMissing: "empty" }))
    expect(summary.warnings).toEqual([expect.stringMatching(/^No picture has a label file; .* labels_dir/)])
  })
})

describe("a label file that does not fit", () => {
  it.each([
    ["0 0.5 0.5 0.2", /^a\.txt:1: expected "class x y width height".*, found 4 numbers/],
    [`${BOX}\n0 0.5 0.5 0.2 0.1 0.9`, /^a\.txt:3: .* found 6 numbers \(is the sixth a confidence/],
    ["0 0.5 0.5 0.2 0.1 0.3 0.4 0.5", /found 8 numbers/],
    ["0,0.5,0.5,0.2,0.1", /found "0,0.5,0.5,0.2,0.1", which is no number/],
    [`${BOX}cat 0.5 0.5 0.2 0.1`, /^a\.txt:2: .*found "cat", which is no number/],
    ["0 0.5 nan 0.2 0.1", /found "nan", which is no number/],
    ["0.5 0.5 0.5 0.2 0.1", /expected a class, 0 or more, found 0\.5/],
    ["-1 0.5 0.5 0.2 0.1", /expected a class, 0 or more, found -1/],
    ["2 0.5 0.5 0.2 0.1", /expected a class from 0 to 1, as the class names say, found 2/],
    ["0 320 240 64 48", /expected fractions .* found 320\. Divide pixels/],
    ["0 0.5 -0.2 0.1 0.1", /from 0 to 1, found -0\.2/],
  ])("%o is refused by file and line", (text, message) => {
    expect(() => parseLabels(text, "a.txt", 2)).toThrow(message)
  })

  it("takes what rounding does to the edge", () => {
    expect(parseLabels("0 1.0004 0 1 1", "a.txt", 1).boxes).toEqual([1.0004, 0, 1, 1])
  })

  it("makes a dead letter of its picture, as do pictures and links that cannot be read", async () => {
    const outside = await datasetOf({ "1.txt": "secret", "more/5.txt": "secret" })
    const dir = await datasetOf({
      "images/1.jpg": 30,
      "images/2.jpg": "no picture",
      "images/3.jpg": 30,
      "images/4.jpg": 30,
      "images/more/5.jpg": 30,
      "labels/1.txt": "7 0.5 0.5 0.1 0.1",
      "labels/2.txt": BOX,
      "labels/4.txt/x": "a folder",
      "classes.txt": "a",
    })
    await symlink(join(outside, "1.txt"), join(dir, "labels/3.txt"))
    await symlink(join(outside, "more"), join(dir, "labels/more"))
    expect((await ingest(bare(dir))).failures).toEqual({
      "images/1.jpg": "labels/1.txt:1: expected a class from 0 to 0, as the class names say, found 7",
      "images/2.jpg": expect.stringMatching(/^Expected a picture/),
      "images/3.jpg": expect.stringMatching(/^labels\/3\.txt is a symbolic link/),
      "images/4.jpg": expect.stringMatching(/^Expected a regular file/),
      "images/more/5.jpg": expect.stringMatching(/^Folder: .*"labels\/more", which leads to /),
    })
  })
})

describe("a description that does not fit", () => {
  it.each([
    ["names: {0: a, 2: b}", /expected "names" to be a list, or a mapping of 0, 1, 2/],
    ["names: a b c", /expected "names" to be a list/],
    ["- a\n- b", /expected a mapping with "names"/],
    ["names: [a\nval: x", /data\.yaml: /],
    [`names: ${"[".repeat(100_000)}`, /data\.yaml: nested too deep/],
    ["names: [a]\nkpt_shape: [17, 3]", /keypoints \(pose\) are not read/],
  ])("%o ends the run, and says why", async (text, message) => {
    const dir = await datasetOf({ "1.jpg": 30, "1.txt": BOX, "data.yaml": text })
    await expect(ingest(bare(dir))).rejects.toThrow(message)
  })

  it("is an error where class names are asked for and not there", async () => {
    const dir = await datasetOf({ "1.jpg": 30, "none.txt": "\n" })
    const wrong = { "gone.txt": /^File not found: .*gone/, "none.txt": /expected class names, one a line, found none/ }
    for (const [name, message] of Object.entries(wrong)) {
      await expect(ingest(bare(dir, { classNames: join(dir, name) }))).rejects.toThrow(message)
    }
    await expect(ingest(bare(join(await tempFolder(), "gone")))).rejects.toThrow(/^Folder not found/)
  })
})
