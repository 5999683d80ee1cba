/** The folder of Parquet files that the sink leaves, and every promise of its writer. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { type Batch, batchOf } from "../../src/model/batch.ts"
import {
  bytesColumn,
  type Column,
  int32Column,
  numberColumn,
  textColumn,
  vectorsColumn,
} from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { HIDDEN_COLUMNS, withHidden } from "../../src/model/rows.ts"
import type { RowFilter, Writer } from "../../src/model/sink.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { sql, sqlValues } from "../fixtures/duckdb.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { runRecord } from "../fixtures/runs.ts"
import { commitItems, type ItemColumns } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

let uri = ""
const open = (create: "new" | "if-missing" = "if-missing"): Promise<Writer> =>
  parquet({ uri, table: "t" }).open({ create })

const item = (name: string, from: number, rows: number): ItemColumns => [
  name,
  { n: int32Column(Array.from({ length: rows }, (_, row) => from + row)) },
]

const all = async (writer: Writer, columns: readonly string[], filter?: RowFilter) => {
  const batches: Batch[] = []
  for await (const batch of writer.read(columns, filter)) batches.push(batch)
  return batches.flatMap((batch) => rowsOf(batch, columns))
}

const numbers = async (writer: Writer, filter?: RowFilter) => (await all(writer, ["n"], filter)).map(({ n }) => n)
const shards = async (table = "t") =>
  (await readdir(join(uri, table))).filter((name) => name.endsWith(".parquet")).sort()
const onDisk = () => sqlValues(`select n from read_parquet('${uri}/t/*.parquet') order by filename, file_row_number`)

beforeEach(async () => {
  uri = await tempFolder()
})

describe("commits", () => {
  it("are one shard each, with the columns of the user and no others", async () => {
    const writer = await open()
    expect([writer.version, writer.schema.size, await writer.edge("last")]).toEqual([0, 0, 0])
    await commitItems(writer, [item("a", 0, 3), item("b", 10, 2)])
    await commitItems(writer, [item("c", 20, 1)])
    expect(await shards()).toEqual(["train-000000.parquet", "train-000001.parquet"])
    expect(await sql(`from '${uri}/t/*.parquet'`)).toEqual([0, 1, 2, 10, 11, 20].map((n) => ({ n })))
    expect([writer.version, await writer.edge("first"), await writer.edge("last")]).toEqual([2, 1, 2])
    await writer.close()
  })

  it("are there when the table is opened again, with the ledger of their rows", async () => {
    const first = await open()
    await commitItems(first, [item("a", 0, 3), item("b", 10, 2)])
    await first.write(
      withHidden(
        batchOf({ n: int32Column([20, 21]) }),
        [{ item: "c", version: "2", firstRow: 0, rows: 2, end: false, medium: "test" }],
        2,
      ),
    )
    await first.commit()
    await first.close()

    const writer = await open()
    expect(await all(writer, HIDDEN_COLUMNS)).toEqual([
      ...[0, 1, 2].map((row) => ({ _item: "a", _version: "1", _row: row, _commit: 1n, _end: row === 2 })),
      ...[0, 1].map((row) => ({ _item: "b", _version: "1", _row: row, _commit: 1n, _end: row === 1 })),
      ...[0, 1].map((row) => ({ _item: "c", _version: "2", _row: row, _commit: 2n, _end: false })),
    ])
    expect(await all(writer, ["_item", "n"], { end: true })).toEqual([
      { _item: "a", n: 2 },
      { _item: "b", n: 11 },
    ])
    expect(await numbers(writer, { commit: 2 })).toEqual([20, 21])
    expect(await numbers(writer, { after: 1 })).toEqual([20, 21])
    expect(await numbers(writer, { before: 2, items: [{ item: "b" }] })).toEqual([10, 11])
    expect(await numbers(writer, { items: [{ item: "c", version: "1" }] })).toEqual([])
    expect(await numbers(writer, { items: [{ item: "c", version: "2" }] })).toEqual([20, 21])
    await writer.close()
  })

  it("drop what was not committed", async () => {
    const writer = await open()
    await commitItems(writer, [item("a", 0, 1)])
    await writer.write(batchOf({ n: int32Column([5]) }))
    await writer.close()
    const again = await open()
    expect(await numbers(again)).toEqual([0])
    expect(await again.commit()).toBe(1)
    await again.close()
  })

  it("keep every type as it was", async () => {
    const columns: Record<string, Column> = {
      image: bytesColumn([Uint8Array.of(1, 2), null], { name: "IMAGE" }),
      label: numberColumn(Int32Array.of(1, -1), { name: "CLASS_LABEL", names: ["cat", "dog"] }),
      meta: textColumn(['{"a":1.0}', null], { name: "JSON" }),
      e: numberColumn(Float32Array.of(1, 2, 3, 4), { name: "EMBEDDING", size: 2 }),
      m: vectorsColumn(
        [
          [
            [1, 2],
            [3, 4],
          ],
          [],
        ],
        { name: "MULTI_EMBEDDING", size: 2 },
      ),
    }
    const writer = await open()
    await commitItems(writer, [["a", columns]])
    await writer.close()
    const again = await open()
    for (const [name, column] of Object.entries(columns)) expect(again.schema.get(name)).toEqual(column.type)
    expect(await all(again, Object.keys(columns))).toEqual(rowsOf(batchOf(columns)))
    await again.close()
  })
})

describe("overwrite", () => {
  it("leaves only the new rows", async () => {
    const writer = await open()
    await commitItems(writer, [item("a", 0, 3)])
    await commitItems(writer, [item("b", 10, 3)])
    await writer.write(
      withHidden(
        batchOf({ m: int32Column([7]) }),
        [{ item: "c", version: "1", firstRow: 0, rows: 1, end: true, medium: "" }],
        3,
      ),
    )
    await writer.overwrite()
    expect([...writer.schema.keys()]).toEqual([...HIDDEN_COLUMNS, "m"])
    expect(await sql(`from '${uri}/t/*.parquet'`)).toEqual([{ m: 7 }])
    expect(await writer.edge("first")).toBe(3)
    await writer.close()
  })
})

describe("remove", () => {
  it("rewrites the shards that have such rows, and takes away those that have no others", async () => {
    const writer = await open()
    await commitItems(writer, [item("a", 0, 2), item("cut", 10, 2)])
    await commitItems(writer, [item("cut", 12, 3)])
    await commitItems(writer, [item("cut", 15, 1), item("b", 20, 2)])
    const { version } = writer
    await writer.remove({ items: [{ item: "cut", version: "1" }] })
    expect(await shards()).toEqual(["train-000000.parquet", "train-000002.parquet"])
    expect(await onDisk()).toEqual([0, 1, 20, 21])
    expect(await all(writer, ["_item", "_row", "_end", "n"])).toEqual([
      { _item: "a", _row: 0, _end: false, n: 0 },
      { _item: "a", _row: 1, _end: true, n: 1 },
      { _item: "b", _row: 0, _end: false, n: 20 },
      { _item: "b", _row: 1, _end: true, n: 21 },
    ])
    expect(writer.version).toBe(version + 1)
    await writer.remove({ items: [{ item: "nobody" }] })
    expect(writer.version).toBe(version + 1)
    await writer.remove({})
    expect([await shards(), await writer.edge("last")]).toEqual([[], 0])
    await writer.close()
  })
})

describe("a writer that was killed", () => {
  const commitAll = async () => {
    const writer = await open()
    for (const at of [0, 1, 2])
      await commitItems(writer, [item(`item-${at}`, at * 10, 2), item(`other-${at}`, at * 10 + 5, 1)])
    return writer
  }

  it("leaves a change of several files that is begun to the next one, and its drafts to nobody", async () => {
    const writer = await commitAll()
    await writer.close()
    const before = await Promise.all((await shards()).map((name) => readFile(join(uri, "t", name))))
    const again = await open()
    await again.remove({ items: [{ item: "item-0" }, { item: "item-1" }, { item: "item-2" }, { item: "other-2" }] })
    await again.close()
    const after = await Promise.all((await shards()).map((name) => readFile(join(uri, "t", name))))

    // The change was written down, and of its three steps the first was done.
    const work = join(uri, "t", ".sluice")
    await writeFile(join(uri, "t", "train-000001.parquet"), before[1] ?? "")
    await writeFile(join(uri, "t", "train-000002.parquet"), before[2] ?? "")
    await writeFile(join(work, "one.parquet"), after[1] ?? "")
    await writeFile(join(work, "left over.parquet"), "half a draft")
    await writeFile(
      join(work, "redo.json"),
      JSON.stringify({
        put: [
          ["zero.parquet", "train-000000.parquet"],
          ["one.parquet", "train-000001.parquet"],
        ],
        drop: ["train-000002.parquet"],
      }),
    )
    const mended = await open()
    expect(await numbers(mended)).toEqual([5, 15])
    expect(await onDisk()).toEqual([5, 15])
    expect(await readdir(work)).toEqual([])
    await mended.close()
  })

  it("has done nothing as long as a change is not written down", async () => {
    const writer = await commitAll()
    await writer.close()
    await writeFile(join(uri, "t", ".sluice", "draft.parquet"), "half a draft")
    await writeFile(join(uri, "t", ".sluice", "draft.json"), '{"put":[],"drop":["train-000')
    const again = await open()
    expect(await numbers(again)).toEqual([0, 1, 5, 10, 11, 15, 20, 21, 25])
    expect(await readdir(join(uri, "t", ".sluice"))).toEqual([])
    await again.close()
  })
})

describe("maintenance", () => {
  it("puts 64 small shards together, and keeps rows, order and ledger", async () => {
    const writer = await open()
    for (let at = 0; at < 130; at++) {
      await commitItems(writer, [item(`item-${at}`, at * 2, 2)])
      await writer.maintain()
    }
    expect(await shards()).toEqual([0, 1, 2, 3].map((at) => `train-${String(at).padStart(6, "0")}.parquet`))
    expect(await onDisk()).toEqual(Array.from({ length: 260 }, (_, n) => n))
    const items = async (from: Writer) => (await all(from, ["_item", "_commit", "n"], { end: true })).map(Object.values)
    const expected = Array.from({ length: 130 }, (_, at) => [`item-${at}`, BigInt(at + 1), at * 2 + 1])
    expect(await items(writer)).toEqual(expected)
    await writer.close()
    const again = await open()
    expect(await items(again)).toEqual(expected)
    expect(await again.edge("last")).toBe(130)
    await again.close()
  })

  it("gives all shards the columns of the newest at the end, so that readers find one schema", async () => {
    const writer = await open()
    await commitItems(writer, [["a", { n: int32Column([1]) }]])
    await commitItems(writer, [["b", { n: int32Column([2]), text: textColumn(["new"]) }]])
    expect(await all(writer, ["n", "text"])).toEqual([
      { n: 1, text: null },
      { n: 2, text: "new" },
    ])
    await writer.finish()
    for (const name of await shards()) {
      expect(await sql(`describe from '${uri}/t/${name}'`)).toMatchObject([
        { column_name: "n", column_type: "INTEGER" },
        { column_name: "text", column_type: "VARCHAR" },
      ])
    }
    expect(await all(writer, ["_item", "n"])).toEqual([
      { _item: "a", n: 1 },
      { _item: "b", n: 2 },
    ])
    await writer.close()
  })
})

describe("side tables and runs", () => {
  it("are folders beside the table", async () => {
    const writer = await open()
    expect(await writer.sides()).toEqual([])
    const side = await writer.side("notes")
    await side.write(
      batchOf({
        _item: textColumn(["a", "a", "b"]),
        _version: textColumn(["1", "1", "1"]),
        _row: int32Column([0, 0, 0]),
        note: textColumn(["x", "y", "z"]),
        _commit: numberColumn(BigInt64Array.of(1n, 1n, 2n), { name: "INT64" }),
      }),
    )
    await side.commit()
    expect(await writer.sides()).toEqual(["notes"])
    expect(await side.edge("last")).toBe(2)
    await side.remove({ items: [{ item: "a" }], before: 2 })
    expect(await sql(`from '${uri}/t__notes/*.parquet'`)).toEqual([
      { _item: "b", _version: "1", _row: 0, note: "z", _commit: 2n },
    ])
    expect(await writer.side("notes")).toBe(side)
    await writer.close()
  })

  it("keep what is known of a run, over what was known before", async () => {
    const writer = await open()
    await writer.logRun(runRecord({ run: "r-1" }))
    await writer.logRun(runRecord({ run: "r-1", ended: "e", ending: "complete", rows: 5 }))
    await writer.close()
    expect(await sql(`select run, ending, rows from '${uri}/_sluice_runs/*.parquet'`)).toEqual([
      { run: "r-1", ending: "complete", rows: 5n },
    ])
  })
})

describe("opening", () => {
  it("refuses a second writer, a table that is there when it must be new, and what is no table of ours", async () => {
    const writer = await open("new")
    await expect(open()).rejects.toThrow(/^Table "t" is being written by process/)
    await commitItems(writer, [item("a", 0, 1)])
    await writer.close()
    await expect(open("new")).rejects.toThrow(new TableError(`Table already exists: "t" in ${uri}`))

    await mkdir(join(uri, "foreign"))
    await sql(`copy (select 1 as n) to '${uri}/foreign/train-000000.parquet'`)
    const foreign = parquet({ uri, table: "foreign" })
    await expect(foreign.open({ create: "if-missing" })).rejects.toThrow(
      /foreign\/train-000000.parquet was not written by Sluice, which cannot add to it/,
    )
    await rename(join(uri, "t", "train-000000.parquet"), join(uri, "moved"))
    await writeFile(join(uri, "t", "train-000000.parquet"), (await readFile(join(uri, "moved"))).subarray(0, 60))
    await expect(open()).rejects.toThrow(/\/t: a shard cannot be read: /)
    // Each of them gave its lock back.
    await rm(join(uri, "t"), { recursive: true })
    await (await open()).close()
  })

  it("refuses what is no folder, and names that no folder can have", async () => {
    expect(() => parquet({ uri, table: "../t" })).toThrow(ConfigError)
    await writeFile(join(uri, "file"), "")
    const sink = parquet({ uri: join(uri, "file"), table: "t" })
    await expect(sink.open({ create: "new" })).rejects.toThrow(/^Expected a folder of tables as uri, found the file/)
  })
})
