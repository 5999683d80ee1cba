/** What a file says of its columns: to `datasets`, to Arrow, and to Sluice itself. */
import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"
import type * as Arrow from "apache-arrow"
import { beforeAll, describe, expect, it } from "vitest"
import { type Batch, batchOf, concatBatches, schemaOf } from "../../src/model/batch.ts"
import {
  boolColumn,
  bytesColumn,
  floatsColumn,
  int32Column,
  numberColumn,
  textColumn,
  vectorColumn,
} from "../../src/model/column.ts"
import { schemaIn } from "../../src/parquet/metadata.ts"
import { createParquet } from "../../src/parquet/writer.ts"
import { readTable } from "../../src/readers/read.ts"
import { collect } from "../fixtures/collect.ts"
import { sql } from "../fixtures/duckdb.ts"
import { picture } from "../fixtures/image.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

const NAMES = ["cat", "dog", "fox"]

let folder = ""
let batch: Batch

const write = async (name: string, rows: Batch): Promise<string> => {
  const path = join(folder, name)
  const file = await createParquet(path, schemaOf(rows))
  await file.write(rows)
  await file.close({ notes: { shard: 7 } })
  return path
}

const metadataOf = async (path: string): Promise<Record<string, string>> => {
  const rows = await sql(`select key, value from parquet_kv_metadata('${path}')`)
  return Object.fromEntries(rows.map(({ key, value }) => [String(key), String(value)]))
}

beforeAll(async () => {
  folder = await tempFolder()
  const png = await picture(8, 6).png().toBuffer()
  batch = batchOf({
    text: textColumn(["zwölf", null]),
    i: int32Column([1, 2]),
    l: numberColumn(BigInt64Array.of(2n ** 60n, -1n), { name: "INT64" }),
    f: numberColumn(Float32Array.of(0.5, 1), { name: "FLOAT32" }),
    d: numberColumn(Float64Array.of(0.1, 2), { name: "FLOAT64" }),
    ok: boolColumn([true, null]),
    raw: bytesColumn([Buffer.from("abc"), null], { name: "BINARY" }),
    image: bytesColumn([png, null], { name: "IMAGE" }),
    video: bytesColumn([Buffer.from("no real video"), null], { name: "VIDEO", blob: true }),
    mask: bytesColumn([png, png], { name: "SEGMENT_MASK" }),
    vector: vectorColumn(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { name: "EMBEDDING", size: 3 },
    ),
    gaps: vectorColumn([[1, 2], null], { name: "EMBEDDING", size: 2 }),
    box: floatsColumn([[1, 2, 3, 4], []], { name: "BOUNDING_BOX" }),
    label: numberColumn(Int32Array.of(2, -1), { name: "CLASS_LABEL", names: NAMES }),
    nameless: numberColumn(Int32Array.of(0, 5), { name: "CLASS_LABEL" }),
    meta: textColumn(['{"a":1}', null], { name: "JSON" }),
  })
})

describe("metadata", () => {
  it("tells datasets the features, by its own conventions", async () => {
    const { huggingface } = await metadataOf(await write("features.parquet", batch))
    const value = (dtype: string) => ({ dtype, _type: "Value" })
    const floats = { feature: value("float32"), _type: "List" }
    expect(JSON.parse(huggingface ?? "")).toEqual({
      info: {
        features: {
          text: value("string"),
          i: value("int32"),
          l: value("int64"),
          f: value("float32"),
          d: value("float64"),
          ok: value("bool"),
          raw: value("binary"),
          image: { _type: "Image" },
          video: { _type: "Video" },
          mask: { _type: "Image" },
          vector: { ...floats, length: 3 },
          gaps: { ...floats, length: 2 },
          box: floats,
          label: { names: NAMES, _type: "ClassLabel" },
          nameless: value("int64"),
          meta: value("string"),
        },
      },
    })
  })

  it("tells Arrow the same, with lists of one length where no row is null", async () => {
    const { "ARROW:schema": encoded, huggingface } = await metadataOf(await write("arrow.parquet", batch))
    // The instance that Sluice uses; another one would not do.
    const { tableFromIPC } = createRequire(import.meta.url)("apache-arrow") as typeof Arrow
    const { schema } = tableFromIPC(Buffer.from(encoded ?? "", "base64"))
    const types = Object.fromEntries(schema.fields.map(({ name, type }) => [name, String(type)]))
    expect(types).toMatchObject({
      image: "Struct<{bytes:Binary, path:Utf8}>",
      vector: "FixedSizeList[3]<Float32>",
      gaps: "List<Float32>",
      label: "Int64",
    })
    expect(schema.metadata.get("huggingface")).toBe(huggingface)
  })

  it("tells Sluice its own types, so that nothing is lost, and keeps a writer's notes", async () => {
    const { sluice, "sluice:notes": notes } = await metadataOf(await write("sluice.parquet", batch))
    expect(schemaIn(sluice)).toEqual(schemaOf(batch))
    expect(JSON.parse(notes ?? "")).toEqual({ shard: 7 })
    expect([schemaIn("{}"), schemaIn("no JSON"), schemaIn(undefined)]).toEqual([undefined, undefined, undefined])
  })
})

describe("reading back", () => {
  const read = async (path: string): Promise<Batch> =>
    concatBatches(await collect(readTable({ path, format: "parquet" })))

  it("gives the same columns of the same types, whoever reads the file in Sluice", async () => {
    const back = await read(await write("back.parquet", batch))
    expect(schemaOf(back)).toEqual(schemaOf(batch))
    expect(rowsOf(back)).toEqual(rowsOf(batch))
  })

  it("does not believe what is said of a column that somebody has changed", async () => {
    const path = await write("before.parquet", batch)
    const changed = join(folder, "changed.parquet")
    const { sluice = "" } = await metadataOf(path)
    await sql(
      `copy (select label::text as label, i, 'new' as added from '${path}') to '${changed}' (kv_metadata {sluice: '${sluice}'})`,
    )
    expect(schemaOf(await read(changed))).toEqual(
      new Map([
        ["label", { name: "TEXT" }],
        ["i", { name: "INT32" }],
        ["added", { name: "TEXT" }],
      ]),
    )
  })
})

const hasPython = (): boolean => {
  try {
    execFileSync("python3", ["-c", "import datasets, PIL"], { stdio: "ignore" })
    return true
  } catch {
    console.warn("SKIPPED: python3 with datasets and Pillow is not there to read what was written")
    return false
  }
}

/** Prints what `datasets` makes of the file, as JSON. */
const SCRIPT = `
import datasets, json, sys, tempfile
rows = datasets.load_dataset("parquet", data_files=sys.argv[1], cache_dir=tempfile.mkdtemp(dir=sys.argv[2]))["train"]
rows = rows.cast_column("video", datasets.Video(decode=False))
first, second = rows
print(json.dumps({
  "label": rows.features["label"].names, "length": rows.features["vector"].length,
  "size": first["image"].size, "video": first["video"]["bytes"].decode(), "meta": first["meta"], "l": first["l"],
  "first": [first["label"], first["vector"], first["text"], first["raw"].decode(), first["box"]],
  "second": [second["label"], second["gaps"], second["image"], second["ok"], second["box"]],
}))
`

it("is understood by datasets in Python", { timeout: 60_000 }, async ({ skip }) => {
  if (!hasPython()) return skip()
  const path = await write("python.parquet", batch)
  const out = execFileSync("python3", ["-c", SCRIPT, path, folder], { stdio: ["ignore", "pipe", "ignore"] })
  expect(JSON.parse(String(out))).toEqual({
    label: NAMES,
    length: 3,
    size: [8, 6],
    video: "no real video",
    meta: '{"a":1}',
    l: 2 ** 60,
    first: [2, [1, 2, 3], "zwölf", "abc", [1, 2, 3, 4]],
    second: [-1, null, null, null, []],
  })
})
