/**
 * Names that every object of JavaScript has, as names of columns, fields and types: they are columns like others, and
 * nothing that was not asked for changes.
 */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterEach, expect, it } from "vitest"
import { readRows } from "../../src/dataset/rows.ts"
import { frameFeatures } from "../../src/formats/lerobot/names.ts"
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import { Client, type Columns, type Format } from "../../src/index.ts"
import { parsePgType } from "../../src/model/pg-types.ts"
import { parseDuration } from "../../src/model/units.ts"
import { formatPlan, planOf, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { parquet as parquetSink } from "../../src/sinks/parquet/parquet.ts"
import { huggingface } from "../../src/sources/huggingface.ts"
import { collect } from "../fixtures/collect.ts"
import { parquet, png } from "../fixtures/hub/datasets.ts"
import { startHub } from "../fixtures/hub.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

const hub = await startHub()
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]
const prototype = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())

afterEach(() => {
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype).sort())).toBe(prototype)
  expect("polluted" in {}).toBe(false)
})

/** A row with a number for each name. */
const row = (values: readonly unknown[]): object => Object.fromEntries(NAMES.map((name, at) => [name, values[at]]))
const NUMBERS = NAMES.map((_, at) => at)

it("in tables of every kind, as far as the command line", async () => {
  const cwd = await tempFolder()
  await writeFile(join(cwd, "a.csv"), `${NAMES.join(",")}\n${NUMBERS.join(",")}\n`)
  await writeFile(join(cwd, "b.jsonl"), `${JSON.stringify(row(NUMBERS))}\n`)
  await writeFile(join(cwd, "c.jsonl"), '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\n')
  const client = new Client({ uri: join(cwd, "data") })
  await client.ingest("csv", null, { format: new Tabular({ path: join(cwd, "a.csv") }) })
  await client.ingest("jsonl", null, { format: new Tabular({ path: join(cwd, "b.jsonl") }) })
  await client.ingest("nested", null, { format: new Tabular({ path: join(cwd, "c.jsonl") }) })
  await client.ingest("columns", Object.fromEntries(NAMES.map((name, at) => [name, Int32Array.of(at)])), {
    schema: Object.fromEntries([["__proto__", "INT64"]]),
  })
  for (const table of ["csv", "jsonl", "columns"]) {
    const [found] = await collect(readRows(client.uri, table))
    expect(Object.entries(found ?? {}), table).toEqual(Object.entries(row(NUMBERS)))
  }
  const [nested] = await collect(readRows(client.uri, "nested"))
  expect(Object.entries(nested ?? {})).toEqual([
    ["__proto__", '{"polluted":1}'],
    ["constructor", '{"prototype":{"polluted":1}}'],
  ])
  const shown = await sluice(["inspect", "csv", "--format", "json"], { cwd })
  const { columns }: { readonly columns: readonly { readonly name: string }[] } = JSON.parse(shown.stdout)
  expect(columns.map(({ name }) => name)).toEqual(NAMES)

  const uri = join(cwd, "parquet")
  const format = new Tabular({ path: join(cwd, "a.csv") })
  await run(formatPlan({ name: "p", format, sink: parquetSink({ uri, table: "t" }) }))
  const back = new MemoryDatabase()
  const again = new Tabular({ path: join(uri, "t/*.parquet") })
  await run(formatPlan({ name: "p", format: again, sink: memory({ table: "t", database: back }) }))
  expect(rowsOf(back.rows("t"), NAMES)).toEqual([row(NUMBERS.map(BigInt))])
})

it("in what a dataset of the Hub says of itself, and beside its pictures", async () => {
  hub.push("o/d", {
    "train/metadata.csv": "file_name,__proto__,constructor,__proto___file_name\na.png,x,y,a.png\n",
    "train/a.png": await png(40),
  })
  const features = { a: { dtype: "constructor", _type: "Value" }, b: { dtype: "__proto__", _type: "Value" } }
  hub.push("o/p", { "data/train.parquet": await parquet("SELECT 1 AS a, 2 AS b", { features }) })
  const ingest = async (repo: string) => {
    const database = new MemoryDatabase()
    const feed = huggingface({ repo, hubUrl: hub.url, cacheDir: await tempFolder(), thumbnails: false })
    await run(planOf({ name: "t", feed, sink: memory({ table: "t", database }) }))
    const [found] = rowsOf(database.rows("t"))
    return Object.fromEntries(
      Object.entries(found ?? {}).filter(([name]) => !/^_(item|version|row|commit|end)$/.test(name)),
    )
  }
  const found = await ingest("o/d")
  expect(Object.keys(found)).toEqual([
    "image",
    "image_path",
    "__proto__",
    "constructor",
    "__proto___2",
    "__proto___2_path",
  ])
  expect(Object.values(found).slice(2, 4)).toEqual(["x", "y"])
  expect(await ingest("o/p")).toEqual({ a: 1, b: 2 })
})

it("in documents, and as names of types and units", async () => {
  const text = (schema: string) =>
    `version: 1\nname: a\nformat: { type: tabular, path: a.csv }\nschema: ${schema}\nsink: { type: memory, table: t }\n`
  const { document } = await parsePipeline(text("{ constructor: TEXT, toString: INT64 }"), "p.yaml", {})
  expect(document.schema).toEqual({ constructor: "TEXT", toString: "INT64" })
  await expect(parsePipeline(text("{ a: constructor }"), "p.yaml", {})).rejects.toThrow(/expected a column type/)
  expect(() => parsePgType("constructor", "a")).toThrow(/expected a column type/)
  expect(parseDuration("5constructor")).toBeUndefined()
  expect(frameFeatures([{ key: "a", dtype: "constructor", shape: [1], names: null }], true)).toMatchObject([
    { kind: "nested", type: { name: "JSON" } },
  ])
  const client = new Client({ uri: await tempFolder() })
  await expect(client.ingest("t", {}, { schema: { constructor: "FILE" } })).rejects.toThrow(/which data lacks/)
})

it("in the batches of a class of one's own", async () => {
  class Odd implements Format {
    *normalize(): Generator<Columns> {
      yield Object.fromEntries(NAMES.map((name, at) => [name, [at]]))
      yield Object.fromEntries(NAMES.map((name, at) => [name, [at]]))
    }
    schema() {
      return Object.fromEntries([["__proto__", "FLOAT64"]])
    }
  }
  const database = new MemoryDatabase()
  await run(formatPlan({ name: "p", format: new Odd(), sink: memory({ table: "t", database }) }))
  const expected = row([0, 1n, 2n, 3n, 4n])
  expect(rowsOf(database.rows("t"), NAMES)).toEqual([expected, expected])
})
