import { createHash } from "node:crypto"
import { readdir } from "node:fs/promises"
import { resolve } from "node:path"
import { gzipSync } from "node:zlib"
import { beforeEach, describe, expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import type { Batch } from "../../src/model/batch.ts"
import { AuthError, ConfigError } from "../../src/model/errors.ts"
import { planOf, type RunSettings, run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { type HuggingFaceOptions, huggingface } from "../../src/sources/huggingface.ts"
import { jpeg, NAMES, numbers, parquet, pictures, png, webDataset } from "../fixtures/hub/datasets.ts"
import { startHub } from "../fixtures/hub.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

const hub = await startHub()
const cacheDir = await tempFolder()
const RETRY = { tries: 4, wait: 1, longestWait: 4, idle: 2000 }

beforeEach(() => {
  hub.seen.length = 0
  hub.faults.length = 0
  hub.datasets.clear()
})

type Options = Partial<HuggingFaceOptions>

const feedOf = (options: Options) =>
  huggingface({ repo: "o/d", hubUrl: hub.url, datasetsServerUrl: hub.url, cacheDir, retry: RETRY, ...options })

const ingest = async (options: Options = {}, database = new MemoryDatabase(), settings: RunSettings = {}) => {
  const plan = planOf({ name: "test", feed: feedOf(options), sink: memory({ table: "t", database }) }, settings)
  const handle = start(plan)
  const summary = await handle.result
  const table: Batch = database.rows("t")
  return { summary, stages: handle.stats()?.stages, database, table, rows: rowsOf(table), types: types(table) }
}

const types = (table: Batch) =>
  Object.fromEntries(
    [...table.columns]
      .filter(([name]) => !/^_(item|version|row|commit|end)$/.test(name))
      .map(([name, { type }]) => [name, type]),
  )
const downloads = () =>
  hub.seen
    .filter(({ url, range }) => url.includes("/resolve/") && range !== undefined && !/README/.test(url))
    .map(({ url }) => url.replace(/.*\/resolve\/[0-9a-f]+\//, ""))

describe("parquet", () => {
  it("takes pictures byte for byte, labels with their names, and thumbnails", async () => {
    hub.push("o/d", await pictures(2, 3))
    const { summary, rows, types, database } = await ingest()
    expect(summary.items).toMatchObject({ listed: 2, done: 2 })
    expect(types).toEqual({
      image: { name: "IMAGE" },
      image_path: { name: "TEXT" },
      label: { name: "CLASS_LABEL", names: NAMES },
      id: { name: "INT64" },
    })
    for (const [id, row] of rows.entries()) {
      expect(row).toMatchObject({ image_path: `${id}.jpg`, label: id % 3, id: BigInt(id) })
      expect(Buffer.from(row.image as Uint8Array)).toEqual(Buffer.from(await jpeg(32 + id)))
    }
    expect(database.rows("t__thumbnails").rows).toBe(24)
    expect(summary.rowsByMedium).toEqual({ huggingface: 6 })
    expect(rows.map((row) => row._item)).toEqual([
      ...Array(3).fill("default/train/data/train-00000-of-00002.parquet"),
      ...Array(3).fill("default/train/data/train-00001-of-00002.parquet"),
    ])

    hub.seen.length = 0
    const again = await ingest({}, database)
    expect(again.summary.items).toMatchObject({ listed: 2, unchanged: 2, done: 0 })
    expect(downloads()).toEqual([])
    expect(await readdir(cacheDir)).toEqual([])
  })

  it("takes values, lists, arrays and what is nested by their features", async () => {
    const features = {
      small: { dtype: "int8", _type: "Value" },
      big: { dtype: "int64", _type: "Value" },
      emb: { feature: { dtype: "float32", _type: "Value" }, length: 3, _type: "Sequence" },
      ragged: { feature: { dtype: "float32", _type: "Value" }, length: -1, _type: "List" },
      matrix: { shape: [2, 2], dtype: "float32", _type: "Array2D" },
      answers: { feature: { text: { dtype: "string", _type: "Value" } }, _type: "Sequence" },
      sound: { sampling_rate: 16000, _type: "Audio" },
      clip: { _type: "Video" },
      doc: { _type: "Pdf" },
      pages: [{ _type: "Image" }],
      when: { dtype: "timestamp[us]", _type: "Value" },
      any: { _type: "Json" },
      "a.b": { dtype: "string", _type: "Value" },
      sound_path: { dtype: "string", _type: "Value" },
    }
    const blob = Uint8Array.of(0, 255, 254, 10)
    const row = (
      n: number,
    ) => `SELECT ${n}::TINYINT AS small, 9007199254740993::BIGINT AS big, [1, 2, ${n}]::FLOAT[] AS emb,
      ${n === 1 ? "[1.5]" : "[1, 2]"}::FLOAT[] AS ragged, [[1, 2], [3, ${n}]]::FLOAT[][] AS matrix,
      {'text': ['a', 'b']} AS answers, {'bytes': $1, 'path': 'x.wav'} AS sound, {'bytes': $1, 'path': 'x.mp4'} AS clip,
      {'bytes': $1, 'path': 'x.pdf'} AS doc, [{'bytes': $1, 'path': 'p'}] AS pages, TIMESTAMP '2024-01-02 03:04:05' AS when,
      '{"x": [1]}' AS any, 'dot' AS "a.b", 'own' AS sound_path`
    hub.push("o/d", { "train.parquet": await parquet(`${row(1)} UNION ALL ${row(2)}`, { features, blobs: [blob] }) })
    const { rows, types } = await ingest()
    expect(
      Object.fromEntries(
        Object.entries(types).map(([name, type]) => [name, type.size ? `${type.name}(${type.size})` : type.name]),
      ),
    ).toEqual({
      small: "INT32",
      big: "INT64",
      emb: "EMBEDDING(3)",
      ragged: "JSON",
      matrix: "EMBEDDING(4)",
      answers: "JSON",
      sound: "BINARY",
      sound_path_2: "TEXT",
      clip: "VIDEO",
      clip_path: "TEXT",
      doc: "BINARY",
      doc_path: "TEXT",
      pages: "JSON",
      when: "TEXT",
      any: "JSON",
      a_b: "TEXT",
      sound_path: "TEXT",
    })
    expect(rows[1]).toMatchObject({
      small: 2,
      big: 9007199254740993n,
      emb: Float32Array.of(1, 2, 2),
      matrix: Float32Array.of(1, 2, 3, 2),
      answers: '{"text":["a","b"]}',
      sound: Uint8Array.from(blob),
      sound_path: "own",
      sound_path_2: "x.wav",
      clip: Uint8Array.from(blob),
      any: '{"x": [1]}',
      a_b: "dot",
    })
    expect(JSON.parse(String(rows[0]?.ragged))).toEqual([1.5])
    expect(JSON.parse(String(rows[0]?.pages))).toEqual([{ bytes: Buffer.from(blob).toString("base64"), path: "p" }])
    expect(rows[0]?.when).toMatch(/^2024-01-02T03:04:05/)
  })

  it("fetches files that rows only name, and says which are not there", async () => {
    const features = { image: { _type: "Image" } }
    const paths = ["images/a.jpg", "../images/a.jpg", "gone.jpg", "../../../etc/passwd"]
    const sql = paths.map((path) => `SELECT {'bytes': NULL::BLOB, 'path': '${path}'} AS image`).join(" UNION ALL ")
    hub.push("o/d", {
      "data/train.parquet": await parquet(sql, { features }),
      "images/a.jpg": await jpeg(40),
      "README.md": "---\nconfigs: [{ config_name: x, data_files: 'data/*.parquet' }]\n---",
    })
    const { rows, summary, database } = await ingest({ thumbnails: false })
    expect(rows.map(({ image }) => (image as Uint8Array | null)?.length)).toEqual([
      (await jpeg(40)).length,
      (await jpeg(40)).length,
      undefined,
      undefined,
    ])
    expect(rows.map(({ image_path }) => image_path)).toEqual(paths)
    expect(summary.items).toMatchObject({ done: 1, partial: 1 })
    const [record] = rowsOf(database.rows("t__items"), ["error"])
    expect(record?.error).toBe(
      'image: "gone.jpg" is not in the dataset; image: "../../../etc/passwd" is not in the dataset',
    )
  })

  it("tells some of what is missing, and counts the rest", async () => {
    const sql = "SELECT {'bytes': NULL::BLOB, 'path': i || '.jpg'} AS image FROM range(300) t(i)"
    hub.push("o/d", { "train.parquet": await parquet(sql, { features: { image: { _type: "Image" } } }) })
    const { rows, database } = await ingest()
    expect(rows).toHaveLength(300)
    const [record] = rowsOf(database.rows("t__items"), ["error"])
    expect(String(record?.error).split("; ")).toHaveLength(21)
    expect(record?.error).toMatch(/"0.jpg" is not in the dataset; .*"19.jpg" is not in the dataset; and 280 more$/)
  })

  it("picks columns, a split and a configuration, and no more rows than the limit", async () => {
    hub.push("o/d", {
      ...(await numbers(3, 5000)),
      "other/test.csv": "a,b\n1,2\n",
      "README.md":
        "---\nconfigs:\n- { config_name: en, data_files: [{ split: train, path: data/* }] }\n- { config_name: de, data_files: [{ split: test, path: other/* }] }\n---",
    })
    const { rows, types, summary } = await ingest({ config: "en", columns: ["text"], limit: 5003 })
    expect(types).toEqual({ text: { name: "TEXT" } })
    expect(rows).toHaveLength(5003)
    expect(rows.at(-1)?.text).toBe("text 5002")
    expect(summary.items).toMatchObject({ listed: 2, done: 2 })
    // Footers are read by their range; the third file is not asked for.
    const asked = hub.seen.filter(({ url }) => url.includes("00002-of") || url.includes("other"))
    expect(asked).toEqual([])
    expect((await ingest({ config: "de", split: "test" })).rows).toMatchObject([{ a: 1n, b: 2n }])
    await expect(ingest({ config: "en", split: "tests" })).rejects.toThrow(/no split "tests"; it has "train"/)
    await expect(ingest({ config: "fr" })).rejects.toThrow(/no configuration "fr"; it has "en", "de"/)
    const missing = await ingest({ config: "en", columns: ["nothing"], limit: 1 })
    expect(missing.summary.items.failed).toBe(1)
    expect(rowsOf(missing.database.rows("t__items"), ["error"])[0]?.error).toBe(
      'data/train-00000-of-00003.parquet: there is no column "nothing"; it has id, text, half',
    )
  })

  it("reads files whose rows are large in small ranges", async () => {
    const sql =
      "SELECT {'bytes': encode(repeat(md5(i::VARCHAR), 65536)), 'path': NULL::VARCHAR} AS image, i::INTEGER AS id FROM range(45) t(i)"
    hub.push("o/d", { "train.parquet": await parquet(sql, { features: { image: { _type: "Image" } } }) })
    const { rows, summary } = await ingest({ thumbnails: false, limit: 44 })
    expect(summary.items.done).toBe(1)
    expect(rows.map(({ id, _row }) => [id, _row])).toEqual(Array.from({ length: 44 }, (_, i) => [i, i]))
    for (const { id, image } of rows) {
      const expected = createHash("md5").update(String(id)).digest("hex").repeat(65_536)
      expect(Buffer.from(image as Uint8Array).equals(Buffer.from(expected))).toBe(true)
    }
  })

  it("takes the types that the schema asks for, before those of the dataset", async () => {
    const sql = "SELECT i AS n, [i, 2]::BIGINT[] AS pair, '3' AS text FROM range(3) t(i)"
    hub.push("o/d", { "train.parquet": await parquet(sql) })
    const { types } = await ingest({ schema: { n: "FLOAT64", pair: "EMBEDDING(2)", text: "INT32" } })
    expect(types).toEqual({ n: { name: "FLOAT64" }, pair: { name: "EMBEDDING", size: 2 }, text: { name: "INT32" } })
  })

  it("fails one file that is broken, and says which", async () => {
    const files = await numbers(2, 10)
    hub.push("o/d", { ...files, "data/train-00000-of-00002.parquet": "PAR1 this is no Parquet file" })
    const { summary, rows, database } = await ingest()
    expect(summary.items).toMatchObject({ done: 1, failed: 1 })
    expect(rows).toHaveLength(10)
    const [record] = rowsOf(database.rows("t__items"), ["_item", "error"])
    expect(record?.error).toMatch(/^data\/train-00000-of-00002.parquet: The Parquet file is cut off/)
    expect(await readdir(cacheDir)).toEqual([])
  })
})

describe("other tables", () => {
  it("reads CSV by the README's features and separator, JSON lines, and JSON lists", async () => {
    const readme = `---
configs:
- { config_name: csv, data_files: data.csv, sep: ";" }
- { config_name: lines, data_files: lines.jsonl.gz }
- { config_name: list, data_files: list.json }
dataset_info:
- config_name: csv
  features: [{ name: n, dtype: int32 }, { name: kind, dtype: { class_label: { names: { "0": cat, "1": dog } } } }, { name: picture, dtype: image }]
---`
    const list = [
      { id: 1, tags: ["a,[b", '"}'], deep: { x: [1, 2] } },
      { id: 2, tags: [], deep: { x: [] } },
    ]
    hub.push("o/d", {
      "README.md": readme,
      "data.csv": "n;kind;picture\n1;dog;p/a.png\n2;0;\n3;;p/b.png\n",
      "p/a.png": await png(40),
      "lines.jsonl.gz": gzipSync('{"id": 1, "text": "a"}\n{"id": 2, "text": null}\n'),
      "list.json": `\ufeff ${JSON.stringify(list, null, 2)}\n`,
    })
    const csv = await ingest({ config: "csv" })
    expect(csv.types).toEqual({
      n: { name: "INT32" },
      kind: { name: "CLASS_LABEL", names: ["cat", "dog"] },
      picture: { name: "IMAGE" },
      picture_path: { name: "TEXT" },
    })
    expect(csv.rows).toMatchObject([
      { n: 1, kind: 1, picture: Uint8Array.from(await png(40)) },
      { n: 2, kind: 0, picture: null },
      { n: 3, kind: null, picture: null, picture_path: "p/b.png" },
    ])
    expect((await ingest({ config: "lines" })).rows).toMatchObject([
      { id: 1n, text: "a" },
      { id: 2n, text: null },
    ])
    const json = await ingest({ config: "list", limit: 2 })
    expect(
      json.rows.map(({ id, tags, deep }) => ({
        id: Number(id),
        tags: JSON.parse(String(tags)),
        deep: JSON.parse(String(deep)),
      })),
    ).toEqual(list)
  })

  it("fails a file that is packed in a way that is not read, or that cannot be counted, and goes on", async () => {
    hub.push("o/d", { "train-1.csv.bz2": "BZh9", "train-2.csv": "a\n1\n", "train-3.csv": "", "train-4.csv": "a\n4\n" })
    for (const limit of [undefined, 2]) {
      const { rows, summary, database } = await ingest(limit === undefined ? {} : { limit })
      expect(rows.map(({ a }) => a)).toEqual([1n, 4n])
      expect(summary.items).toMatchObject({ done: 2, failed: 2 })
      expect(rowsOf(database.rows("t__items"), ["error"])).toEqual([
        { error: "train-1.csv.bz2: expected a plain file, or one in .gz or .zst, found bz2" },
        { error: expect.stringMatching(/^train-3.csv: .*empty/) },
      ])
    }
  })

  it("reads text files line by line", async () => {
    const lines = ["first", "", "third ä", "x".repeat(70_000), "last"]
    hub.push("o/d", {
      "train.txt": `${lines.slice(0, 3).join("\r\n")}\r\n${lines.slice(3).join("\n")}\n`,
      "test.txt.gz": gzipSync("a\rb"),
      "bad.txt": "",
    })
    const { rows } = await ingest({ split: "train" })
    expect(rows.map(({ text }) => text)).toEqual(lines)
    expect((await ingest({ split: "test" })).rows.map(({ text }) => text)).toEqual(["a", "b"])
  })
})

describe("archives and folders", () => {
  it("reads WebDataset archives, gzipped or not", async () => {
    hub.push("o/d", { "train-0.tar": await webDataset(0, 300), "train-1.tar.gz": await webDataset(300, 2, true) })
    const { rows, types, summary } = await ingest({ thumbnails: false })
    expect(types).toEqual({
      jpg: { name: "IMAGE" },
      txt: { name: "TEXT" },
      cls: { name: "INT64" },
      meta_json: { name: "JSON" },
      __key__: { name: "TEXT" },
      __url__: { name: "TEXT" },
    })
    expect(summary.items).toMatchObject({ listed: 2, done: 2 })
    expect(rows).toHaveLength(302)
    expect(rows[0]).toMatchObject({
      txt: "caption 0",
      cls: 0n,
      meta_json: null,
      __key__: "part/0000",
      __url__: "train-0.tar",
    })
    expect(rows[301]).toMatchObject({ txt: "caption 301", __key__: "part/0301", __url__: "train-1.tar.gz" })
    expect(rows[301]?.meta_json).toBe('{"index":301,"big":"12345678901234567890"}')
    expect(Buffer.from(rows[299]?.jpg as Uint8Array)).toEqual(Buffer.from(await jpeg(331)))
    expect((await ingest({ thumbnails: false, limit: 301, columns: ["txt"] })).rows.at(-1)).toMatchObject({
      txt: "caption 300",
    })
  })

  it("reads folders of pictures: a file a row, labels by folder", async () => {
    const files = {
      "train/dog/2.jpg": await jpeg(42),
      "train/cat/1.JPG": await jpeg(41),
      "test/dog/3.png": await png(43),
      LICENSE: "x",
    }
    hub.push("o/d", files)
    const { rows, types, summary, database } = await ingest()
    expect(types).toEqual({
      image: { name: "IMAGE" },
      image_path: { name: "TEXT" },
      label: { name: "CLASS_LABEL", names: ["cat", "dog"] },
    })
    expect(rows).toMatchObject([
      { image_path: "train/cat/1.JPG", label: 0, _item: "default/train/train/cat/1.JPG" },
      { image_path: "train/dog/2.jpg", label: 1 },
      { image_path: "test/dog/3.png", label: 1, _item: "default/test/test/dog/3.png" },
    ])
    expect(Buffer.from(rows[1]?.image as Uint8Array)).toEqual(Buffer.from(files["train/dog/2.jpg"]))
    expect(summary.items.done).toBe(3)
    expect(database.rows("t__thumbnails").rows).toBe(12)
    expect((await ingest({ limit: 2 })).rows).toHaveLength(2)
    // A file at another depth: folders name no classes.
    hub.push("o/d", { ...files, "train/odd.jpg": await jpeg(44) })
    expect(Object.keys((await ingest()).types)).toEqual(["image", "image_path"])
  })

  it("reads metadata files: their rows, with the files that they name", async () => {
    hub.push("o/d", {
      "train/metadata.jsonl":
        '{"file_name": "a.png", "mask_file_name": "m/a.png", "caption": "one"}\n{"file_name": "gone.png", "caption": "two"}\n{"file_name": "../secret.png", "caption": "three"}\n',
      "train/a.png": await png(40),
      "train/m/a.png": await png(41),
      "secret.png": await png(42),
      "README.md": "---\nconfigs: [{ config_name: x, data_dir: train }]\n---",
    })
    const { rows, types, summary, database } = await ingest()
    expect(types).toEqual({
      image: { name: "IMAGE" },
      image_path: { name: "TEXT" },
      mask: { name: "IMAGE" },
      mask_path: { name: "TEXT" },
      caption: { name: "TEXT" },
    })
    expect(rows).toMatchObject([
      {
        image: Uint8Array.from(await png(40)),
        mask: Uint8Array.from(await png(41)),
        image_path: "train/a.png",
        caption: "one",
      },
      { image: null, mask: null, caption: "two" },
      { image: null, image_path: null, caption: "three" },
    ])
    expect(summary.items).toMatchObject({ listed: 1, done: 1, partial: 1 })
    const [record] = rowsOf(database.rows("t__items"), ["error"])
    expect(record?.error).toBe(
      'train/metadata.jsonl: expected a file beside it, found "../secret.png"; train/gone.png is not in the dataset',
    )
    // Another picture under the same name is another version of the rows.
    hub.push("o/d", {
      ...Object.fromEntries(hub.datasets.get("o/d")?.commits.values().next().value ?? []),
      "train/a.png": await png(50),
    })
    expect((await ingest({}, database)).summary.items).toMatchObject({ outdated: 1 })
  })
})

describe("the export", () => {
  const scripted = async (name = "o/d") => {
    const sha = hub.push(name, { "d.py": "print()", "README.md": "# no data" })
    hub.push(
      name,
      {
        "plain/train/0000.parquet": await parquet("SELECT 1 AS a"),
        "plain/test/0000.parquet": await parquet("SELECT 2 AS a"),
      },
      { branch: "refs/convert/parquet" },
    )
    const file = (split: string) => ({
      dataset: name,
      config: "plain",
      split,
      url: `${hub.url}/datasets/${name}/resolve/refs%2Fconvert%2Fparquet/plain/${split}/0000.parquet`,
      filename: "0000.parquet",
      size: 1,
    })
    return { sha, body: { parquet_files: [file("train"), file("test")], pending: [], failed: [], partial: false } }
  }

  it("is read where the files cannot be, when it is all of the same commit", async () => {
    const { sha, body } = await scripted()
    const dataset = hub.datasets.get("o/d")
    if (!dataset) throw new Error("it was pushed")
    dataset.parquet = { body, revision: sha }
    const { rows, summary } = await ingest()
    expect(rows).toMatchObject([{ a: 1, _item: "plain/train/plain/train/0000.parquet" }, { a: 2 }])
    expect(summary.warnings).toEqual([
      "o/d: it has no files of a kind that is known; its Parquet export is read instead",
    ])
    for (const [wrong, reason] of [
      [{ body: { ...body, partial: true }, revision: sha }, /its export is not complete/],
      [{ body: { ...body, pending: [{}] }, revision: sha }, /its export is not complete/],
      [{ body, revision: "0".repeat(40) }, /its export is of another commit/],
      [{ body: { ...body, parquet_files: [] }, revision: sha }, /it has no export/],
    ] as const) {
      dataset.parquet = wrong
      await expect(ingest()).rejects.toThrow(reason)
    }
    delete dataset.parquet
    await expect(ingest()).rejects.toThrow(
      /Dataset "o\/d" cannot be read: it has no files of a kind that is known; nor as Parquet/,
    )
    await expect(ingest()).rejects.toThrow(ConfigError)
  })
})

describe("a run", () => {
  it("goes on through faults of the Hub, and the token is in nothing that it leaves", async () => {
    hub.push("o/d", await numbers(3, 4000), { lfsFrom: 1000 })
    const dataset = hub.datasets.get("o/d")
    if (dataset) dataset.token = "hf_very_secret"
    hub.faults.push(
      { path: "/tree/", status: 429, headers: { "retry-after": "0" } },
      { path: "/lfs/", resetAfter: 5000 },
      { path: "/lfs/", status: 503 },
      { path: "/resolve/", status: 500 },
    )
    const { rows, summary, stages, database } = await ingest({ token: "hf_very_secret" })
    expect(summary.items).toMatchObject({ done: 3, failed: 0 })
    // One for each fault.
    expect(stages?.[0]).toMatchObject({ stage: "list", retries: 4 })
    expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 12_000 }, (_, i) => i))
    for (const table of ["t", "t__items"]) {
      for (const column of database.rows(table).columns.values()) {
        if (column.values instanceof Uint8Array)
          expect(Buffer.from(column.values).includes("hf_very_secret")).toBe(false)
      }
    }
    expect(JSON.stringify(summary)).not.toContain("hf_very_secret")
    for await (const item of feedOf({ token: "hf_very_secret" }).source.items({
      signal: new AbortController().signal,
      warn: () => {},
    })) {
      expect(JSON.stringify(item)).not.toContain("hf_very_secret")
    }
  })

  it("ends at once when access is refused, at the start or in the middle", async () => {
    hub.push("o/d", await numbers(3, 10))
    const dataset = hub.datasets.get("o/d")
    if (!dataset) throw new Error("it was pushed")
    dataset.token = "hf_owner"
    await expect(ingest()).rejects.toThrow(AuthError)
    delete dataset.token
    hub.faults.push({ path: "00001-of", status: 403, headers: { "x-error-code": "GatedRepo" }, times: 9 })
    await expect(ingest()).rejects.toThrow(/00001-of-00003.parquet: Dataset "o\/d" is gated \(403\)/)
  })

  it("downloads ahead, at most four at a time, in the order of the rows", async () => {
    hub.push("o/d", await numbers(8, 200), { lfsFrom: 1000 })
    hub.faults.push({ path: "/lfs/", slow: 300, times: 8 })
    const begun = performance.now()
    const { rows } = await ingest({}, new MemoryDatabase(), { workers: { threads: 4 } })
    expect(rows).toHaveLength(1600)
    // One after the other they would take 2.4 s.
    expect(performance.now() - begun).toBeLessThan(1800)
  })

  it("goes on in the middle of a file, and downloads only what is missing of it", async () => {
    hub.push("o/d", await numbers(3, 20_000), { lfsFrom: 1000 })
    const database = new MemoryDatabase()
    const own = await tempFolder()
    const drain = new AbortController()
    const plan = planOf(
      { name: "test", feed: feedOf({ cacheDir: own }), sink: memory({ table: "t", database }) },
      { shutdownTimeout: 0, commitEvery: 1000, workers: { threads: 1 } },
    )
    const summary = await run(plan, {
      signal: drain.signal,
      onEvent: (event) => {
        if (event.type === "committed" && event.rows >= 25_000) drain.abort()
      },
    })
    expect(summary.ending).toBe("interrupted")
    const before = database.rows("t").rows
    expect(before).toBeLessThan(60_000)
    hub.seen.length = 0
    const { rows, summary: second } = await ingest({ cacheDir: own }, database)
    expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 60_000 }, (_, i) => i))
    expect(second.rows).toBe(60_000 - before)
    expect(downloads().filter((path) => path.includes("00000-of"))).toEqual([])
    expect(await readdir(own)).toEqual([])
  })

  it("decodes no picture again whose row is in the table", async () => {
    // Rows of so many bytes are handed on as they come.
    const sql = `SELECT {'bytes': CASE WHEN i IN (0, 199) THEN $2 ELSE $1 END, 'path': NULL::VARCHAR} AS image, repeat('x', 2000) AS pad FROM range(200) t(i)`
    const features = { image: { _type: "Image" } }
    hub.push("o/d", { "train.parquet": await parquet(sql, { features, blobs: [await jpeg(32), Uint8Array.of(1)] }) })
    const database = new MemoryDatabase()
    const plan = planOf({ name: "test", feed: feedOf({}), sink: memory({ table: "t", database }) }, { commitEvery: 10 })
    const handle = start(plan, {
      onEvent: (event) => {
        if (event.type === "committed") handle.cancel({ drain: false })
      },
    })
    expect(await handle.result).toMatchObject({ ending: "interrupted" })
    const left = database.rows("t").rows
    expect(left).toBeLessThan(200)
    const { summary, rows } = await ingest({}, database)
    expect(summary).toMatchObject({ rows: 200 - left, items: { done: 1, partial: 1 } })
    expect(rows).toHaveLength(200)
    // The first of the two that cannot be decoded was not looked at again, and is not forgotten.
    const [record] = rowsOf(database.rows("t__items"))
    expect(String(record?.error).match(/image in row \d+/g)).toEqual(["image in row 0", "image in row 199"])
    const decoded = rowsOf(database.rows("t__thumbnails"), ["_row"]).map(({ _row }) => _row)
    expect(decoded).toEqual(Array.from({ length: 198 * 4 }, (_, index) => 1 + Math.floor(index / 4)))
  })

  it("is the pipeline that comes with Sluice, on the command line", async () => {
    hub.push("o/pets", await pictures(2, 2))
    const cwd = await tempFolder()
    const env = { HF_ENDPOINT: hub.url, HF_TOKEN: "hf_anyone", DATASET: "o/pets" }
    const document = resolve("pipelines/huggingface.yaml")
    const settings = ["--set", `source.cache_dir=${cwd}/cache`, "--set", "source.columns=[image, label]"]
    const ended = await sluice(["run", document, "--json", ...settings], { cwd, env })
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    expect(JSON.parse(ended.stdout)).toMatchObject({ rows: 4, items: { listed: 2, done: 2 }, table: "huggingface" })
    expect((await inspectTable(`${cwd}/data`, "huggingface")).columns).toMatchObject([
      { name: "image", type: "IMAGE" },
      { name: "image_path", type: "TEXT" },
      { name: "label", type: "CLASS_LABEL", names: NAMES },
    ])
    const refused = await sluice(["run", document, "--set", "source.repo=../etc"], { cwd, env })
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/source.repo: .*expected the name of a dataset/),
    })
  })
})
