/** Tables in files, through whole runs. */
import { mkdir, rm, utimes, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { beforeEach, describe, expect, it } from "vitest"
import { Tabular, type TabularOptions } from "../../src/formats/tabular/tabular.ts"
import type { Summary } from "../../src/model/events.ts"
import type { Item } from "../../src/model/item.ts"
import { formatPlan, type RunSettings, run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { collect } from "../fixtures/collect.ts"
import { sql, typesOf, writeParquet } from "../fixtures/duckdb.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

let folder: string
beforeEach(async () => {
  folder = await tempFolder()
})

const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(folder, name)
  await mkdir(join(path, ".."), { recursive: true })
  await writeFile(path, content)
  return path
}

const planOf = (database: MemoryDatabase, options: Partial<TabularOptions>, settings?: RunSettings) =>
  formatPlan(
    { name: "t", format: new Tabular({ path: folder, ...options }), sink: memory({ table: "t", database }) },
    settings,
  )

const ingest = async (
  options: Partial<TabularOptions> = {},
  settings: RunSettings = {},
  database = new MemoryDatabase(),
): Promise<{ readonly summary: Summary; readonly database: MemoryDatabase }> => ({
  summary: await run(planOf(database, options, settings)),
  database,
})

const rowsWithout = (database: MemoryDatabase): Record<string, unknown>[] =>
  rowsOf(database.rows("t")).map(({ _item, _version, _row, _commit, _end, ...rest }) => rest)

const failures = (database: MemoryDatabase): string[] =>
  rowsOf(database.rows("t__items")).map(({ error }) => String(error))

describe("files of all kinds", () => {
  it("are one table, whose columns are those of all of them", async () => {
    await writeParquet(join(folder, "a.parquet"), 2, "i::INTEGER AS id, 'p' || i AS name")
    await write("b.csv", "id,name,share\n10,c,0.5\n")
    await write("c.tsv.gz", gzipSync("id\tname\n20\tt\n"))
    await write("d.jsonl", '{"id":30,"tags":["x"]}\n')
    await write("readme.md", "not a table")

    const { summary, database } = await ingest()

    expect(summary).toMatchObject({ ending: "complete", rows: 5, items: { listed: 4, done: 4 } })
    expect(summary.rowsByMedium).toEqual({ tabular: 5 })
    expect(rowsWithout(database)).toEqual([
      { id: 0n, name: "p0", share: null, tags: null },
      { id: 1n, name: "p1", share: null, tags: null },
      { id: 10n, name: "c", share: 0.5, tags: null },
      { id: 20n, name: "t", share: null, tags: null },
      { id: 30n, name: null, share: null, tags: '["x"]' },
    ])
    expect((await ingest({}, {}, database)).summary).toMatchObject({ rows: 0, items: { listed: 4, unchanged: 4 } })
  })

  it("come in items of 100,000 rows, or a file, in their order", async () => {
    await writeParquet(join(folder, "a.parquet"), 250_000, "i AS id")
    const lines = Array.from({ length: 250_000 }, (_, row) => `{"id":${row + 250_000}}\n`)
    await write("b.jsonl", lines.join(""))
    const { database } = await ingest({}, { commitEvery: 50_000 })
    const rows = database.rows("t")
    expect([...(rows.columns.get("id")?.values ?? [])]).toEqual(
      Array.from({ length: 500_000 }, (_, row) => BigInt(row)),
    )
    const ends = rowsOf(rows, ["_item", "_row", "_end"]).filter(({ _end }) => _end)
    expect(ends.map(({ _item }) => _item).slice(0, 3)).toEqual(["a.parquet/0", "a.parquet/100000", "a.parquet/200000"])
    expect(ends.map(({ _row }) => _row).slice(0, 3)).toEqual([99_999, 99_999, 49_999])
    expect(ends.length).toBeGreaterThan(3)
  })

  it("are taken by a format that their names do not say", async () => {
    await write("data.txt", "a;b\n1;x\n")
    const { summary, database } = await ingest({ path: join(folder, "data.txt") })
    expect(summary.items).toMatchObject({ failed: 1 })
    expect(failures(database)).toEqual([expect.stringContaining("Say what it is: format: csv")])
    const said = await ingest({ path: join(folder, "data.txt"), format: "csv", header: false, delimiter: ";" })
    expect(rowsWithout(said.database)).toEqual([
      { column_0: "a", column_1: "b" },
      { column_0: "1", column_1: "x" },
    ])
  })

  it("that are empty or have no rows are recorded", async () => {
    await writeParquet(join(folder, "a.parquet"), 0, "i AS id")
    await write("b.csv", "id\n")
    await write("c.csv", "")
    const { summary, database } = await ingest()
    expect(summary.items).toMatchObject({ listed: 3, empty: 2, failed: 1 })
    expect(failures(database).join("\n")).toMatch(/c\.csv: Expected a table, found an empty file/)
  })

  it("that are broken cost no other its rows", async () => {
    await writeParquet(join(folder, "a.parquet"), 3, "i AS id")
    await write("b.parquet", "PAR1 this is none PAR1")
    await write("c.csv", "id\n7\nseven,8\n")
    await write("d.csv", "id\n9\n")
    const { summary, database } = await ingest()
    expect(summary).toMatchObject({ ending: "complete", rows: 4, items: { done: 2, failed: 2 } })
    expect(failures(database).join("\n")).toMatch(/b\.parquet: [\s\S]*c\.csv: line 3: expected 1 values/)
  })
})

describe("types", () => {
  it("are settled over all files, before the first row is read", async () => {
    await writeParquet(
      join(folder, "a.parquet"),
      1,
      "1::INTEGER AS n, 1::BIGINT AS f, [1, 2]::FLOAT[] AS v, NULL::BIGINT AS same",
    )
    await writeParquet(
      join(folder, "b.parquet"),
      1,
      "(2::BIGINT ** 40)::BIGINT AS n, 0.5::FLOAT AS f, [1]::FLOAT[] AS v, 5::BIGINT AS same",
    )
    await write("c.csv", "n,same\n,\n")
    const { summary, database } = await ingest()
    expect(summary.items).toMatchObject({ done: 3 })
    expect(typesOf(database.rows("t"))).toMatchObject({ n: "INT64", f: "FLOAT64", v: "JSON", same: "INT64" })
    expect(rowsWithout(database)).toEqual([
      { n: 1n, f: 1, v: "[1.0,2.0]", same: null },
      { n: 2n ** 40n, f: 0.5, v: "[1.0]", same: 5n },
      { n: null, f: null, v: null, same: null },
    ])
  })

  it("that contradict one another stop the run before anything is written", async () => {
    await write("a.csv", "zip\n12345\n")
    await write("b.csv", "zip\nSW1A\n")
    const database = new MemoryDatabase()
    await expect(run(planOf(database, {}))).rejects.toThrow(
      'Column "zip" is INT64 in a.csv and TEXT in b.csv. Give it one type: schema: { "zip": TEXT }',
    )
    expect(database.rows("t").rows).toBe(0)
    const said = await ingest({}, { schema: { zip: "TEXT" } })
    expect(rowsWithout(said.database)).toEqual([{ zip: "12345" }, { zip: "SW1A" }])
  })

  it("of the caller are read as such, not cast afterwards", async () => {
    await write("a.csv", 'code,when,vector\n1e3,1.50,"[1,2]"\n2,2.0,"[3,4]"\n')
    const { database } = await ingest({}, { schema: { code: "TEXT", when: "TEXT", vector: "EMBEDDING" } })
    expect(typesOf(database.rows("t"))).toMatchObject({ code: "TEXT", when: "TEXT", vector: "EMBEDDING(2)" })
    expect(rowsWithout(database).map(({ code, when }) => [code, when])).toEqual([
      ["1e3", "1.50"],
      ["2", "2.0"],
    ])
    await expect(ingest({}, { schema: { zip: "TEXT" } })).rejects.toThrow(
      'schema: expected a column of the files ("code", "when", "vector"), found "zip"',
    )
  })
})

describe("several vectors a row", () => {
  it("are read where the schema names their width", async () => {
    await write("a.jsonl", '{"n":1,"m":[[1,2],[3,4.5]]}\n{"n":2,"m":[]}\n{"n":3,"m":null}\n')
    const schema = { m: "MULTI_EMBEDDING(2)" }
    const { database } = await ingest({}, { schema })
    const values = [[Float32Array.of(1, 2), Float32Array.of(3, 4.5)], [], null]
    expect(typesOf(database.rows("t"))).toMatchObject({ m: "MULTI_EMBEDDING(2)" })
    expect(rowsWithout(database).map(({ m }) => m)).toEqual(values)
    const open = await ingest({}, { schema: { m: "MULTI_EMBEDDING" } })
    expect(failures(open.database)).toEqual([
      expect.stringMatching(/"m": expected how many.*as in MULTI_EMBEDDING\(128\)/),
    ])
    await write("a.jsonl", '{"n":1,"m":[[1,2],[3]]}\n')
    const odd = await ingest({}, { schema })
    expect(failures(odd.database)).toEqual([expect.stringMatching(/"m", row 0.*MULTI_EMBEDDING\(2\)/)])
  })
})

describe("columns", () => {
  it("have names that the store can have, each its own", async () => {
    await write("a.csv", "robot.arm,x`y\n1,2\n")
    expect(rowsWithout((await ingest()).database)).toEqual([{ robot_arm: 1n, x_y: 2n }])
    await write("a.csv", "robot.arm,robot_arm\n1,2\n")
    const { summary, database } = await ingest()
    expect(summary.items).toMatchObject({ failed: 1 })
    expect(failures(database)[0]).toMatch(/Columns "robot\.arm" and "robot_arm" would both be named "robot_arm"/)
    expect(rowsWithout((await ingest({ columns: ["robot.arm"] })).database)).toEqual([{ robot_arm: 1n }])
  })

  it("are only those that are asked for", async () => {
    await writeParquet(join(folder, "a.parquet"), 2, "i AS a, i + 10 AS b, i + 20 AS c")
    await write("b.jsonl", '{"a":5,"c":6,"z":7}\n')
    const { database } = await ingest({ columns: ["c", "a"] })
    expect(rowsWithout(database)).toEqual([
      { a: 0n, c: 20n },
      { a: 1n, c: 21n },
      { a: 5n, c: 6n },
    ])
    await write("c.csv", "other\n1\n")
    const lacking = await ingest({ columns: ["c", "a"] })
    expect(failures(lacking.database)).toEqual([expect.stringMatching(/c\.csv: expected columns to read, found none/)])
    await expect(ingest({ columns: ["a", "d"] })).rejects.toThrow(
      'columns: expected a column of the files ("a", "b", "c", "z", "other"), found "d"',
    )
  })
})

describe("a run that is cut", () => {
  const ROWS = 20_000

  it.each([
    ["a.csv", (row: number) => `${row},"text\n${row}"`, "id,t\n"],
    ["a.jsonl.gz", (row: number) => JSON.stringify({ id: row, t: `text\n${row}` }), ""],
  ])("in the middle of %s goes on there", async (name, line, head) => {
    const content = `${head}${Array.from({ length: ROWS }, (_, row) => line(row)).join("\n")}\n`
    await write(name, name.endsWith(".gz") ? gzipSync(content) : content)
    const database = new MemoryDatabase()
    const settings = { commitEvery: 500 }
    const handle = start(planOf(database, {}, settings))
    for await (const event of handle)
      if (event.type === "committed" && event.rows >= 5000) handle.cancel({ drain: false })
    expect(await handle.result).toMatchObject({ ending: "interrupted", items: { done: 0, pending: 1 } })
    const first = rowsOf(database.rows("t"), ["_commit"]).map(({ _commit }) => _commit)
    expect(first.length).toBeGreaterThanOrEqual(5000)
    expect(first.length).toBeLessThan(ROWS)

    const { summary } = await ingest({}, settings, database)

    expect(summary).toMatchObject({ ending: "complete", rows: ROWS - first.length, items: { done: 1 } })
    const rows = rowsOf(database.rows("t"), ["_row", "_commit", "id", "t"])
    expect(rows.map(({ _row, id, t }) => [_row, id, t])).toEqual(
      Array.from({ length: ROWS }, (_, row) => [row, BigInt(row), `text\n${row}`]),
    )
    // What was there was neither written again nor touched.
    expect(rows.slice(0, first.length).map(({ _commit }) => _commit)).toEqual(first)
  })

  it("in the middle of a Parquet file does the cut range again, and no other", async () => {
    await writeParquet(join(folder, "a.parquet"), 300_000, "i AS id")
    const database = new MemoryDatabase()
    const settings = { commitEvery: 10_000 }
    const handle = start(planOf(database, {}, settings))
    for await (const event of handle)
      if (event.type === "committed" && event.rows >= 150_000) handle.cancel({ drain: false })
    expect((await handle.result).items).toMatchObject({ done: 1 })
    const { summary } = await ingest({}, settings, database)
    expect(summary).toMatchObject({ rows: 200_000, items: { unchanged: 1, done: 2 } })
    const ids = database.rows("t").columns.get("id")?.values ?? []
    expect(BigInt64Array.from(ids as BigInt64Array).sort()).toEqual(
      BigInt64Array.from({ length: 300_000 }, (_, row) => BigInt(row)),
    )
  })
})

describe("a file that changes", () => {
  const context = () => ({
    signal: new AbortController().signal,
    tempDir: folder,
    maxBytes: 1,
    progress: () => {},
    partial: () => {},
    warn: () => {},
  })

  const opened = async () => {
    const { source, code } = new Tabular({ path: folder }).feed(new Map())
    if (!("normalize" in code)) throw new Error("DuckDB is called from the main thread")
    const read = (item: Item) => collect(code.normalize(item, {}, context()))
    return { items: await collect(source.items(context())), read }
  }

  it("before it is read is an error of its own", async () => {
    const path = await write("a.csv", "id\n1\n")
    const { items, read } = await opened()
    await utimes(path, 1, 1)
    await expect(read(items[0] as Item)).rejects.toThrow(/the file changed while it was read/)
  })

  it("or appears after the columns are settled is not read without the ones that it adds", async () => {
    await write("a.jsonl", '{"id":1}\n')
    const { items, read } = await opened()
    await read(items[0] as Item)
    await write("b.jsonl", '{"id":2,"more":3}\n')
    const later = await opened()
    await expect(read(later.items[1] as Item)).rejects.toThrow(/b\.jsonl: the file appeared after the columns/)
    expect(await later.read(later.items[1] as Item)).toHaveLength(1)
  })
})

describe("a plan that is run again", () => {
  it("takes files as they are then, with the columns that they have then", async () => {
    await write("a.csv", "id,name\n1,fox\n")
    const database = new MemoryDatabase()
    const plan = planOf(database, {}, { mode: "sync" })
    await run(plan)
    await write("a.csv", "id,name,legs\n1,vixen,4\n")
    await write("b.csv", "id,name,wings\n2,owl,2\n")
    expect(await run(plan)).toMatchObject({ items: { listed: 2, done: 2, failed: 0 } })
    expect(failures(database)).toEqual([])
    expect(rowsWithout(database)).toMatchObject([
      { id: 1n, name: "vixen", legs: 4n },
      { id: 2n, name: "owl", wings: 2n },
    ])
  })
})

describe("a format by itself", () => {
  it("yields columns", async () => {
    await write("a.csv", "id,t\n1,x\n2,\n")
    expect(await collect(new Tabular({ path: folder }).normalize())).toEqual([
      { id: BigInt64Array.of(1n, 2n), t: ["x", null] },
    ])
  })
})

describe("a document", () => {
  it("can name it", async () => {
    await sql(`COPY (SELECT 1 AS a, 2 AS b) TO '${join(folder, "x.bin")}' (FORMAT parquet)`)
    const { plan } = await parsePipeline(
      `version: 1\nname: t\nformat: { type: tabular, path: ${JSON.stringify(join(folder, "x.bin"))}, format: parquet, columns: a }\nsink: { type: memory, table: t }\n`,
      "t.yaml",
      {},
    )
    expect(await run(plan)).toMatchObject({ rows: 1, items: { done: 1 } })
    await rm(join(folder, "x.bin"))
    await expect(run(plan)).rejects.toThrow(/File not found/)
  })
})
