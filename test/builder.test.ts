/** Pipelines in code: what they do when they run, and what they say to what does not fit. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { threadId } from "node:worker_threads"
import { describe, expect, it } from "vitest"
import { readRows } from "../src/dataset/rows.ts"
import {
  batchOf,
  Coco,
  ConfigError,
  columns,
  type Feed,
  type Format,
  files,
  filesPlan,
  float64Column,
  forecast,
  inspectTable,
  int32Column,
  lance,
  MemoryDatabase,
  memory,
  Pipeline,
  type Plan,
  run,
  type Sink,
  searchText,
  textColumn,
} from "../src/index.ts"
import { NORMALIZERS } from "../src/normalizers/index.ts"
import { compile } from "./fixtures/code-blocks.ts"
import { picture } from "./fixtures/image.ts"
import { rowsOf } from "./fixtures/plans.ts"
import { tempFolder } from "./fixtures/temp.ts"

const notes = async (): Promise<string> => {
  const folder = await tempFolder()
  for (let i = 0; i < 40; i++) writeFileSync(join(folder, `${i}.md`), `note ${i} of ${i % 2 ? "the gate" : "a barge"}`)
  return folder
}

describe("a pipeline", () => {
  it("takes files of any medium through its stages into a table with an index", async () => {
    const folder = await notes()
    writeFileSync(join(folder, "blob.bin"), Buffer.alloc(5000, 7))
    writeFileSync(join(folder, "p.png"), await picture(20, 10).png().toBuffer())
    const uri = join(await tempFolder(), "data")
    const plan = Pipeline.make("notes")
      .from(files({ include: folder }))
      .normalize({ text: { chunkSize: 12, chunkOverlap: 2 }, image: { thumbnails: false } })
      .map("measure", { length: "INT32", vector: "EMBEDDING(2)" }, async (batch) => {
        const lengths = batch.column("text").map((text) => text?.length)
        return { length: lengths, vector: lengths.map((length) => (length ? [length, 1] : null)) }
      })
      .filter("begins", (batch) => batch.column("chunk_index").map((index) => index !== 1))
      .map("again", { length: "FLOAT64" }, (batch) => ({ length: batch.column("length").map((n) => n && n / 2) }))
      .to(lance({ uri, table: "notes", index: ["text"] }), { flushEvery: 10, commitEvery: 30 })
    const summary = await run(plan)
    expect(summary.items).toMatchObject({ listed: 42, done: 42, failed: 0 })
    const { columns: found, rows } = await inspectTable(uri, "notes")
    expect(Object.fromEntries(found.map(({ name, type }) => [name, type]))).toMatchObject({
      data: "BINARY",
      length: "FLOAT64",
      vector: "EMBEDDING(2)",
    })
    expect(rows).toBe(42)
    const gates = await searchText(uri, "notes", "gate", { limit: 50 })
    expect(gates).toEqual([])
    expect(await searchText(uri, "notes", "note", { limit: 50 })).toHaveLength(40)
    for await (const { length, text, vector } of readRows(uri, "notes")) {
      const characters = text ? String(text).length : undefined
      expect(length).toBe(text === null ? null : (characters ?? 0) / 2)
      expect(vector).toEqual(characters === undefined ? null : new Float32Array([characters, 1]))
    }
  })

  it("is a value: half built, it is the beginning of several", async () => {
    const database = new MemoryDatabase()
    const base = Pipeline.make("base").from(
      columns({ n: [1, 2, 3, 4], word: ["a", "b", "c", "d"] }, { schema: { n: "INT32" } }),
    )
    const even = base.filter("even", (batch) => batch.column("n").map((n) => n !== null && n % 2 === 0))
    const tens = even.map("tens", { n: "INT32" }, (batch) => ({ n: batch.column("n").map((n) => n && n * 10) }))
    await run(tens.to(memory({ table: "tens", database })))
    await run(even.to(memory({ table: "even", database })))
    await run(base.to(memory({ table: "all", database })))
    const words = (table: string) => rowsOf(database.rows(table), ["n", "word"]).map(({ n, word }) => `${n}${word}`)
    expect(["all", "even", "tens"].map(words)).toEqual([
      ["1a", "2b", "3c", "4d"],
      ["2b", "4d"],
      ["20b", "40d"],
    ])
  })

  it("is the same recipe as the plan of its parts, until it has stages; `sync` sees when these change", async () => {
    const folder = await notes()
    const sink = memory({ table: "t", database: new MemoryDatabase() })
    const source = files({ include: folder })
    const rows = Pipeline.make("notes")
      .from(source)
      .normalize({ text: { chunkSize: 500 } })
    const changed = async (plan: Plan) => (await forecast(plan)).shares.changed.items
    const sync = { mode: "sync" } as const

    await run(filesPlan({ name: "n", source, sink, normalize: { text: { chunk_size: 500 } } }))
    expect(await changed(rows.to(sink, sync))).toBe(0)

    const one = (revision: number, name = "one") =>
      rows.map(name, { one: "INT32" }, (batch) => ({ one: batch.items.map(() => revision) }), { revision })
    expect(await changed(one(1).to(sink, sync))).toBe(40)
    await run(one(1).to(sink, sync))
    expect(await changed(one(1).to(sink, sync))).toBe(0)
    const other = [
      one(2),
      one(1, "uno"),
      rows.map("one", { one: "INT64" }, (batch) => ({ one: batch.items.map(() => 1) })),
      one(1).filter("all", (batch) => batch.items.map(() => true)),
      rows,
    ]
    for (const pipeline of other) expect(await changed(pipeline.to(sink, sync))).toBe(40)
    // How a stage is run is not what it gives.
    const faster = rows.map("one", { one: "INT32" }, () => ({ one: [] }), { batch: 5, concurrency: 9, perSecond: 2 })
    expect(await changed(faster.to(sink, sync))).toBe(0)
  })

  it("has a map in its workers, beside the normalizer", async () => {
    const folder = await notes()
    writeFileSync(join(folder, "blob.bin"), Buffer.alloc(50, 7))
    const database = new MemoryDatabase()
    const plan = Pipeline.make("notes")
      .from(files({ include: folder }))
      .normalize()
      .mapInWorkers(
        "where",
        { place: "TEXT" },
        { module: new URL("fixtures/worker-map.ts", import.meta.url), export: "where" },
      )
      .filter("there", (batch) => batch.column("place").map((place) => !place?.endsWith(`${process.pid}/${threadId}`)))
      .to(memory({ table: "t", database }))
    expect((await run(plan)).items).toMatchObject({ done: 41, failed: 0 })
    const places = rowsOf(database.rows("t"), ["text", "place"])
    expect(places).toHaveLength(41)
    for (const { text, place } of places) expect(place).toMatch(new RegExp(`^${text} on ${process.pid}/`))
  })

  it("knows the columns that a format says, also where its rows lack them", async () => {
    class Numbers implements Format {
      *normalize() {
        yield { n: [1, 2], label: [null, null] }
        yield { n: [2.5], label: ["x"] }
      }
      readonly columnTypes = { n: "FLOAT64", label: "TEXT" } as const
    }
    const database = new MemoryDatabase()
    const plan = Pipeline.make("numbers")
      .format(new Numbers())
      .map("twice", { twice: "FLOAT64", copy: "TEXT" }, (batch) => ({
        twice: batch.column("n").map((n) => n && n * 2),
        copy: batch.column("label"),
      }))
      .to(memory({ table: "t", database }))
    expect((await run(plan)).items).toMatchObject({ done: 1 })
    expect(rowsOf(database.rows("t"))).toEqual([
      expect.objectContaining({ n: 1, label: null, twice: 2, copy: null }),
      expect.objectContaining({ n: 2, label: null, twice: 4, copy: null }),
      expect.objectContaining({ n: 2.5, label: "x", twice: 5, copy: "x" }),
    ])
  })

  it("gives each value as it is, where items have columns of several types", async () => {
    const batches = [
      batchOf({ n: int32Column([1, 2]) }),
      batchOf({ n: float64Column([2.5]), word: textColumn(["x"]) }),
      batchOf({ n: int32Column([4]) }),
    ]
    const feed: Feed = {
      source: {
        name: "mine",
        items: async function* () {
          for (const id of batches.keys()) yield { id: `${id}`, uri: `${id}`, version: "1", bytes: 1 }
        },
      },
      code: {
        options: {},
        normalize: async function* ({ id }) {
          const batch = batches[Number(id)]
          if (batch) yield { batch }
        },
      },
      route: () => ({ lane: "main", recipe: "mine" }),
    }
    const database = new MemoryDatabase()
    const plan = Pipeline.make("mine")
      .from(feed)
      .map("twice", { twice: "FLOAT64" }, (batch) => ({ twice: batch.column("n").map((n) => Number(n) * 2) }))
      .to(memory({ table: "t", database }), { schema: { n: "FLOAT64" } })
    expect((await run(plan)).items).toMatchObject({ done: 3 })
    expect(rowsOf(database.rows("t"), ["n", "twice", "word"])).toEqual([
      { n: 1, twice: 2, word: null },
      { n: 2, twice: 4, word: null },
      { n: 2.5, twice: 5, word: "x" },
      { n: 4, twice: 8, word: null },
    ])
  })
})

/** As JavaScript sees it: any call with any values. */
type Anything = { readonly [call: string]: (...given: readonly unknown[]) => Anything }

describe("what does not fit", () => {
  const make = (name: unknown = "p") => (Pipeline as unknown as Anything).make?.(name) as Anything
  const call = (on: Anything, name: string, ...given: readonly unknown[]) => on[name]?.(...given) as Anything
  const source = files({ include: "./docs" })
  const rows = () => call(call(make(), "from", source), "normalize")
  const sink: Sink = memory({ table: "t" })
  const one = () => ({ one: [] })
  const map = (...given: readonly unknown[]) => call(rows(), "map", ...given)

  it.each<readonly [string, () => unknown, RegExp]>([
    ["no name", () => make(""), /expected a name for the pipeline, found the text ""/],
    ["a name that is none", () => make(7), /expected a name for the pipeline, found 7/],
    [
      "nothing to begin with",
      () => call(make(), "to", sink),
      /"p": to: expected \.from\(\.\.\.\) or \.format\(\.\.\.\) before/,
    ],
    ["a stage before", () => call(make(), "map", "m", { one: "TEXT" }, one), /map: expected \.from/],
    [
      "normalize before",
      () => call(make(), "normalize"),
      /normalize: expected \.from\(source\) before it, found nothing/,
    ],
    ["items as rows", () => call(call(make(), "from", source), "to", sink), /to: expected rows.*call \.normalize\(\)/],
    [
      "normalize of rows",
      () => call(rows(), "normalize"),
      /normalize: .*makes rows by itself; leave \.normalize\(\) out/,
    ],
    ["two beginnings", () => call(rows(), "format", { normalize: () => [] }), /format: expected to come first/],
    ["no source", () => call(make(), "from", undefined), /from: expected a source such as files.*found nothing/],
    ["a format as a source", () => call(make(), "from", new Coco({ imagesDir: "x" })), /Give a format to \.format/],
    ["no format", () => call(make(), "format", {}), /expected an object with a method normalize\(\)/],
    [
      "an option",
      () => call(call(make(), "from", source), "normalize", { text: { size: 1 } }),
      /unknown option "size"/,
    ],
    [
      "options of nothing",
      () => call(call(make(), "from", source), "normalize", { text: 5 }),
      /as in { text: .*found 5 for text/,
    ],
    [
      "no media",
      () => call(call(make(), "from", source), "normalize", null),
      /normalize: expected options of media.*found null/,
    ],
    ["a stage without name", () => map("", { one: "TEXT" }, one), /map: expected a name for the stage/],
    [
      "a name twice",
      () => call(map("m", { one: "TEXT" }, one), "filter", "m", one),
      /filter "m": expected a name that no other stage has/,
    ],
    ["no function", () => map("m", { one: "TEXT" }), /map "m": expected a function of a batch, found nothing/],
    ["a column type", () => map("m", { one: "TEX" }, one), /Column "one": expected a column type .*found "TEX"/],
    ["no column type", () => map("m", { one: 3 }, one), /map "m": column "one": expected a column type.*found 3/],
    ["a vector of any width", () => map("m", { one: "EMBEDDING" }, one), /how many numbers.*EMBEDDING\(384\)/],
    ["a column that is hidden", () => map("m", { _item: "TEXT" }, one), /"_item" is reserved/],
    ["no columns", () => map("m", {}, one), /map "m": expected the columns that it gives/],
    ["columns as a list", () => map("m", ["one"], one), /map "m": expected the columns that it gives/],
    ["a batch of nothing", () => map("m", { one: "TEXT" }, one, { batch: 0 }), /map "m"\.batch: .*at least 1, found 0/],
    [
      "half a call",
      () => map("m", { one: "TEXT" }, one, { concurrency: 1.5 }),
      /a whole number of at least 1, found 1.5/,
    ],
    [
      "an endless call",
      () => map("m", { one: "TEXT" }, one, { timeout: Infinity }),
      /"m"\.timeout: .*at most 2147483647/,
    ],
    ["another option", () => map("m", { one: "TEXT" }, one, { batchSize: 3 }), /unknown option "batchSize"; there are/],
    ["no options", () => map("m", { one: "TEXT" }, one, 3), /map "m": expected options such as/],
    [
      "a worker's map after others",
      () => call(map("m", { one: "TEXT" }, one), "mapInWorkers", "w", { w: "TEXT" }),
      /mapInWorkers: expected to come before .map and .filter, found it after map "m"/,
    ],
    [
      "a function for a worker",
      () => call(rows(), "mapInWorkers", "w", { w: "TEXT" }, one),
      /mapInWorkers "w": expected the module's URL.*found a function/,
    ],
    [
      "a path for a worker",
      () => call(rows(), "mapInWorkers", "w", { w: "TEXT" }, { module: "./w.ts", export: "w" }),
      /mapInWorkers "w": .*found {"module":".\/w.ts"/,
    ],
    [
      "pace of a worker",
      () => call(rows(), "mapInWorkers", "w", { w: "TEXT" }, { module: import.meta.url, export: "w" }, { batch: 2 }),
      /unknown option "batch"; there are revision/,
    ],
    [
      "a normalizer that workers would not find",
      () => call(call(make(), "from", source), "normalize", {}, [{ ...NORMALIZERS[0], name: "essay" }]),
      /expected the normalizer essay to say module: import.meta.url/,
    ],
    [
      "a normalizer with a column of another type",
      () =>
        call(call(make(), "from", source), "normalize", {}, [
          { ...NORMALIZERS[0], name: "essay", module: import.meta.url, columns: { text: "INT32" } },
        ]),
      /column "text" to be INT32, as essay has it, found TEXT/,
    ],
    ["no sink", () => call(rows(), "to", "./data"), /to: expected a sink such as lance.*found the text ".\/data"/],
    [
      "an index without its column",
      () => call(rows(), "to", lance({ uri: "./data", table: "t", index: ["txt"] })),
      /lance needs "txt", which the rows do not have: they have "id", "file_id",.*Mend the name/,
    ],
    [
      "a schema without its column",
      () => call(rows(), "to", sink, { schema: { txt: "TEXT" } }),
      /schema names "txt", which the rows do not have/,
    ],
    [
      "a type said twice",
      () => call(map("m", { one: "TEXT" }, one), "to", sink, { schema: { one: "JSON" } }),
      /schema names "one", which map "m" gives; say its type there/,
    ],
    [
      "settings",
      () => call(rows(), "to", sink, { flushEvery: 100, commitEvery: 10 }),
      /commit_every .* is smaller than flush_every/,
    ],
  ])("%s", (_, wrong, message) => {
    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow(message)
  })
})

it("is told by the compiler, which names the column", async () => {
  const code = readFileSync(new URL("builder.types.ts", import.meta.url), "utf8")
  const expected = [...code.split("\n").entries()].flatMap(([index, line]) => {
    const [, name] = /@ts-expect-error (.+)/.exec(line) ?? []
    // Lines count from 1, and the error is in the next one.
    return name === undefined ? [] : [{ line: index + 2, name }]
  })
  const said = await compile(new Map([["types.ts", code.replaceAll("@ts-expect-error", "wrong:")]]))
  const found = new Map<number, string>()
  for (const [, line, message = ""] of said.matchAll(/^\S*types\.ts\((\d+),.*?(: error .*(?:\n .*)*)/gm)) {
    found.set(Number(line), `${found.get(Number(line)) ?? ""}${message}`)
  }
  expect([...found.keys()]).toEqual(expected.map(({ line }) => line))
  for (const { line, name } of expected) expect(found.get(line), `line ${line}`).toContain(name)
})
