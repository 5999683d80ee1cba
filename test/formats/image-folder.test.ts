import { readFile, rm, symlink } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ImageFolder, type ImageFolderOptions } from "../../src/formats/image-folder/index.ts"
import type { Format } from "../../src/model/format.ts"
import { run } from "../../src/pipeline.ts"
import { datasetOf, ingest } from "../fixtures/dataset.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"
import { tempFolder } from "../fixtures/temp.ts"

const bare = (dir: string, options: Partial<ImageFolderOptions> = {}): Format =>
  new ImageFolder({ dir, thumbnails: false, ...options })

const pick = (rows: readonly Record<string, unknown>[], ...names: string[]) =>
  rows.map((row) => names.map((name) => row[name]))

describe("folders", () => {
  it("are classes, in a row a picture, with the bytes as they are and thumbnails", async () => {
    const dir = await datasetOf({ "dog/2.jpg": 30, "cat/b.JPG": 31, "cat/a.png": 32, "cat/notes.txt": "no picture" })
    const { rows, schema, summary, database } = await ingest(new ImageFolder({ dir }))
    expect(summary).toMatchObject({ rowsByMedium: { image_folder: 3 }, items: { listed: 3, done: 3 }, warnings: [] })
    expect(pick(rows, "_item", "filename", "label", "label_name")).toEqual([
      ["cat/a.png", "cat/a.png", 0, "cat"],
      ["cat/b.JPG", "cat/b.JPG", 0, "cat"],
      ["dog/2.jpg", "dog/2.jpg", 1, "dog"],
    ])
    expect(rows[0]?.image).toEqual(new Uint8Array(await readFile(join(dir, "cat/a.png"))))
    expect(Object.keys(schema).filter((name) => !name.startsWith("_"))).toEqual([
      "image",
      "filename",
      "label",
      "label_name",
    ])
    expect(schema.label).toEqual({ name: "CLASS_LABEL", names: ["cat", "dog"] })
    expect(database.rows("t__thumbnails").rows).toBe(12)
    expect((await ingest(new ImageFolder({ dir }), {}, database)).summary.items).toMatchObject({
      unchanged: 3,
      done: 0,
    })
  })

  it("at the top are splits when all of them have the name of one", async () => {
    const dir = await datasetOf({
      "training/cat/1.jpg": 30,
      "training/dog/1.jpg": 30,
      "val-2/cat/1.jpg": 30,
      "test/1.jpg": 30,
    })
    expect(pick((await ingest(bare(dir))).rows, "filename", "split", "label_name")).toEqual([
      ["test/1.jpg", "test", null],
      ["training/cat/1.jpg", "train", "cat"],
      ["training/dog/1.jpg", "train", "dog"],
      ["val-2/cat/1.jpg", "validation", "cat"],
    ])
    const vehicles = await datasetOf({ "bus/1.jpg": 30, "train/1.jpg": 30 })
    const { rows, schema } = await ingest(bare(vehicles))
    expect(pick(rows, "label_name")).toEqual([["bus"], ["train"]])
    expect(schema).not.toHaveProperty("split")
  })

  it("are no classes when there is only one, or when they are not equally deep", async () => {
    for (const [files, warning] of [
      [{ "a.jpg": 30, "b.jpg": 30 }, undefined],
      [{ "only/a.jpg": 30 }, undefined],
      [{ "x/a.jpg": 30, "y/z/b.jpg": 30 }, /No labels: .* different depths, such as x and y\/z/],
    ] as const) {
      const { schema, summary } = await ingest(bare(await datasetOf(files)))
      expect(schema).not.toHaveProperty("label")
      expect(summary.warnings).toEqual(warning ? [expect.stringMatching(warning)] : [])
    }
  })

  it("have the numbers of class_names where these are given; others are dead letters", async () => {
    const dir = await datasetOf({ "cat/1.jpg": 30, "bird/1.jpg": 30 })
    const list = join(await datasetOf({ "names.txt": "dog\ncat\n" }), "names.txt")
    for (const classNames of [["dog", "cat"], list]) {
      const { rows, schema, failures } = await ingest(bare(dir, { classNames }))
      expect(pick(rows, "label", "label_name")).toEqual([[1, "cat"]])
      expect(schema.label?.names).toEqual(["dog", "cat"])
      expect(failures["bird/1.jpg"]).toMatch(/Folder "bird" is none of the class names \(dog, cat\)/)
    }
  })

  it("that come later do not change what numbers mean in a table", async () => {
    const dir = await datasetOf({ "cat/1.jpg": 30, "dog/1.jpg": 30 })
    const { database } = await ingest(bare(dir))
    await datasetOf({ "bird/1.jpg": 30 }, dir)
    const later = await ingest(bare(dir), {}, database)
    expect(later.summary.items).toMatchObject({ outdated: 2, failed: 1, done: 0 })
    expect(later.failures["bird/1.jpg"]).toMatch(/expected the classes that the table has \(cat, dog\), found bird/)
    const replaced = await ingest(bare(dir), { mode: "replace" }, database)
    expect(pick(replaced.rows, "label", "label_name")).toEqual([
      [0, "bird"],
      [1, "cat"],
      [2, "dog"],
    ])
  })

  it("give what they can: damaged pictures, empty files and LFS pointers are dead letters", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`
    const dir = await datasetOf({ "a/1.jpg": 30, "a/2.jpg": "no picture", "b/3.jpg": pointer, "b/4.png": "" })
    for (const thumbnails of [true, false]) {
      const { summary, failures } = await ingest(new ImageFolder({ dir, thumbnails }))
      expect(summary.items).toMatchObject({ done: 1, failed: 3 })
      expect(failures["a/2.jpg"]).toMatch(/^Expected a picture/)
      expect(failures["b/3.jpg"]).toMatch(/12345 bytes.*git lfs pull/)
      expect(failures["b/4.png"]).toMatch(/no bytes at all/)
    }
  })

  it("that are hidden are left out, and links unless they are to be followed", async () => {
    const outside = await datasetOf({ "real/1.jpg": 30 })
    const dir = await datasetOf({ "a/1.jpg": 30, "a/._1.jpg": "resource fork", ".cache/x/1.jpg": 30 })
    await symlink(join(outside, "real"), join(dir, "b"))
    const skipped = await ingest(bare(dir))
    expect(pick(skipped.rows, "filename")).toEqual([["a/1.jpg"]])
    expect(skipped.summary.warnings).toEqual([expect.stringMatching(/^1 symbolic link .*symlinks: follow/)])
    expect(pick((await ingest(bare(dir, { symlinks: "follow" }))).rows, "filename")).toEqual([["a/1.jpg"], ["b/1.jpg"]])
  })

  it("that are not there are an error, and empty ones a warning", async () => {
    const dir = await tempFolder()
    expect((await ingest(bare(dir))).summary.warnings).toEqual([expect.stringMatching(/^No pictures found in /)])
    await expect(ingest(bare(join(dir, "gone")))).rejects.toThrow(/^Folder not found: .*gone/)
  })

  it("are told the same by a document", async () => {
    const dir = await datasetOf({ "cat/1.jpg": 30, "dog/1.jpg": 30, "names.txt": "dog\ncat\n" })
    const document = `version: 1
name: i
format: { type: image_folder, dir: ${dir}, class_names: ${dir}/names.txt, thumbnails: false, symlinks: follow }
sink: { type: memory, table: t }
`
    expect(await run((await parsePipeline(document, "i.yaml", {})).plan)).toMatchObject({
      rows: 2,
      items: { failed: 0 },
    })
  })

  it("are read one after the other by normalize() alone", async () => {
    const dir = await datasetOf({ "cat/1.jpg": 30, "dog/1.jpg": 31 })
    const names: unknown[] = []
    for await (const batch of new ImageFolder({ dir }).normalize()) names.push(...Array.from(batch.label_name ?? []))
    expect(names).toEqual(["cat", "dog"])
  })
})

describe("metadata", () => {
  it("gives the columns, in place of labels, in the order of its rows", async () => {
    const dir = await datasetOf({
      "img/1.jpg": 30,
      "img/2.jpg": 31,
      "img/left out.jpg": 32,
      "metadata.csv": `file_name,caption,stars,weight\nimg/2.jpg,"a ""big"", wide one",3,0.5\nimg/1.jpg,,4,1\n`,
    })
    const { rows, schema, summary, database } = await ingest(bare(dir))
    expect(pick(rows, "filename", "caption", "stars", "weight")).toEqual([
      ["img/2.jpg", 'a "big", wide one', 3n, 0.5],
      ["img/1.jpg", null, 4n, 1],
    ])
    expect(schema).not.toHaveProperty("label")
    expect(summary.warnings).toEqual(["1 of 3 pictures left out: metadata.csv does not name them"])
    expect((await ingest(bare(dir), {}, database)).summary.items).toMatchObject({ unchanged: 2, done: 0 })

    // Another caption is another version of that picture alone.
    await datasetOf({ "metadata.csv": `file_name,caption,stars,weight\nimg/2.jpg,new,3,0.5\nimg/1.jpg,,4,1\n` }, dir)
    expect((await ingest(bare(dir), {}, database)).summary.items).toMatchObject({ unchanged: 1, outdated: 1 })
  })

  it("stands beside the pictures of each split, as JSON lines with numbers, lists and objects", async () => {
    const line = (value: unknown) => `${JSON.stringify(value)}\n`
    const dir = await datasetOf({
      "train/1.jpg": 30,
      "train/metadata.jsonl":
        line({ file_name: "1.jpg", id: 1, tags: ["a"], at: { x: 1 } }).replace('"id":1', '"id":9007199254740993') +
        line({ file_name: "1.jpg", id: 2, tags: [], at: null }),
      "test/sub/1.jpg": 30,
      "test/metadata.jsonl": line({ file_name: "sub/1.jpg", id: 3, tags: ["b", "c"], at: { x: 2 } }),
    })
    const { rows } = await ingest(bare(dir))
    expect(pick(rows, "_item", "filename", "split", "id", "tags", "at")).toEqual([
      ["test/sub/1.jpg", "test/sub/1.jpg", "test", 3n, '["b","c"]', '{"x":2}'],
      ["train/1.jpg", "train/1.jpg", "train", 9007199254740993n, '["a"]', '{"x":1}'],
      ["train/1.jpg#2", "train/1.jpg", "train", 2n, "[]", null],
    ])
  })

  it("has the types that the caller asks for", async () => {
    const dir = await datasetOf({ "1.jpg": 30, "metadata.csv": "file_name,zip\n1.jpg,123\n" })
    expect((await ingest(bare(dir))).schema.zip).toEqual({ name: "INT64" })
    expect((await ingest(bare(dir), { schema: { zip: "TEXT" } })).rows[0]?.zip).toBe("123")
  })

  it("that names what is not in its folder makes dead letters", async () => {
    const secret = await datasetOf({ "secret.jpg": 30 })
    const dir = await datasetOf({
      "1.jpg": 30,
      "metadata.csv": [
        "file_name,n",
        "1.jpg,0",
        "../secret.jpg,1",
        join(secret, "secret.jpg,2"),
        "https://example.org/1.jpg,3",
        ",4",
        "gone.jpg,5",
        "link/secret.jpg,6",
        "file.jpg,7",
        "C:\\secret.jpg,8",
      ].join("\n"),
    })
    await symlink(secret, join(dir, "link"))
    await symlink(join(secret, "secret.jpg"), join(dir, "file.jpg"))
    const { rows, failures } = await ingest(bare(dir))
    expect(pick(rows, "n")).toEqual([[0n]])
    expect(failures).toEqual({
      "metadata.csv, row 1": expect.stringMatching(/goes up with "\.\."/),
      "metadata.csv, row 2": expect.stringMatching(/which is absolute/),
      "metadata.csv, row 3": expect.stringMatching(/a URL/),
      "metadata.csv, row 4": expect.stringMatching(/expected the path of a picture, found null/),
      "gone.jpg": "metadata.csv, row 5: File not found: gone.jpg",
      "link/secret.jpg": expect.stringMatching(/row 6: Folder: .*"link", which leads to/),
      "file.jpg": expect.stringMatching(/row 7: file\.jpg is a symbolic link/),
      "metadata.csv, row 8": expect.stringMatching(/which is absolute/),
    })
  })

  it.each([
    [{ "metadata.csv": "name,n\n1.jpg,0\n" }, /^metadata\.csv: expected a column "file_name".*found "name", "n"/],
    [{ "metadata.csv": "file_name,image\n1.jpg,0\n" }, /column "image" has the name of one that this format makes/],
    [{ "metadata.csv": "file_name,_row\n1.jpg,0\n" }, /^metadata\.csv: Column name "_row" is reserved/],
    [{ "metadata.csv": "file_name\n", "metadata.jsonl": '{"file_name":"1.jpg"}\n' }, /one metadata file in a folder/],
  ])("that cannot be used ends the run, and says why: %o", async (files, message) => {
    const dir = await datasetOf({ "1.jpg": 30, ...(files as Readonly<Record<string, string>>) })
    await expect(ingest(bare(dir))).rejects.toThrow(message)
    await rm(dir, { recursive: true })
  })
})
