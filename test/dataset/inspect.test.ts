import { join } from "node:path"
import { expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { execute } from "../../src/engine/run.ts"
import { batchOf } from "../../src/model/batch.ts"
import { bytesColumn, int32Column, textColumn, vectorColumn } from "../../src/model/column.ts"
import { IngestError, TableError } from "../../src/model/errors.ts"
import type { Normalize } from "../../src/model/normalizer.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const normalize: Normalize = async function* (item, _options, context) {
  if (item.id.startsWith("bad")) throw new IngestError("broken")
  if (item.id.startsWith("empty")) return
  if (item.id.startsWith("partial")) context.partial("half of it")
  yield {
    batch: batchOf({
      text: textColumn([item.id, "more"]),
      video: bytesColumn([new Uint8Array(100_000), null], { name: "VIDEO", blob: true }),
      embedding: vectorColumn([[1, 2], null], { name: "EMBEDDING", size: 2 }),
    }),
    side: { thumbnails: batchOf({ _row: int32Column([0, 0, 1]), dimension: textColumn(["32x32", "64x64", "32x32"]) }) },
  }
}

const ingest = async (uri: string, ids: readonly string[]): Promise<void> => {
  await execute(
    {
      name: "p",
      feed: {
        source: {
          name: "list",
          async *items() {
            for (const id of ids) yield { id, uri: id, version: "1", bytes: 10 }
          },
        },
        code: { normalize, options: {} },
        route: () => ({ lane: "main", recipe: "r" }),
      },
      stages: [],
      sink: lance({ uri, table: "docs", index: ["text"] }),
      mode: "append",
      contract: "evolve",
      maxDeleteRatio: 0.2,
      schema: new Map(),
      flush: { rows: 200, bytes: 8 << 20, period: Infinity },
      commit: { rows: 2000, bytes: 48 << 20, period: Infinity },
      failed: "skip",
      errors: { max: 100, maxRatio: 1 },
      workers: { threads: 1, timeout: 60_000, memory: 1 << 30 },
      maxItemBytes: 1 << 20,
      shutdownTimeout: 1000,
    },
    {
      run: ids.join(),
      drain: new AbortController().signal,
      abort: new AbortController().signal,
      emit: () => {},
      watch: () => {},
    },
  )
}

it("tells what a run has made of its items", async () => {
  const uri = await tempFolder()
  await ingest(uri, ["a", "bad-1", "bad-2", "bad-3", "empty-1", "empty-2", "partial-1"])
  const before = await inspectTable(uri, "docs")
  expect(before).toMatchObject({
    table: "docs",
    uri,
    rows: 4,
    columns: [
      { name: "text", type: "TEXT" },
      { name: "video", type: "VIDEO" },
      { name: "embedding", type: "EMBEDDING(2)" },
    ],
    items: { done: 2, failed: 3, partial: 1, empty: 2 },
    indexes: [{ column: "text", type: "FTS", unindexedRows: 0 }],
    thumbnails: 6,
  })
  expect(before.hidden.map((column) => column.name)).toEqual(["_item", "_version", "_row", "_commit", "_end"])
  expect(before.bytes).toBeGreaterThan(200_000)

  await writeTable(uri, "docs", [["later", { text: textColumn(["x", "y", "z"]) }]])
  const after = await inspectTable(uri, "docs")
  expect(after.version).toBeGreaterThan(before.version)
  expect(after).toMatchObject({ rows: 7, items: { done: 3 }, indexes: [{ unindexedRows: 3 }] })
})

it("inspects a table without side tables or index, and one that others wrote", async () => {
  const uri = await tempFolder()
  await writeTable(uri, "plain", [["a", { text: textColumn(["a"]) }]])
  const db = await connect(uri)
  await db.createTable("foreign", [{ tags: ["x"], text: "x" }])
  db.close()
  expect(await inspectTable(uri, "plain")).toMatchObject({
    rows: 1,
    items: { done: 1, failed: 0, partial: 0, empty: 0 },
    indexes: [],
    thumbnails: 0,
  })
  expect(await inspectTable(uri, "foreign")).toMatchObject({
    rows: 1,
    columns: [
      { name: "tags", type: "List<Utf8>" },
      { name: "text", type: "TEXT" },
    ],
    hidden: [],
    items: { done: 0 },
  })
})

it("says which tables there are when the one asked for is not", async () => {
  const uri = await tempFolder()
  await expect(inspectTable(uri, "docs")).rejects.toThrow(/"docs" does not exist in .*; it has no tables/)
  await writeTable(uri, "plain", [["a", { text: textColumn(["a"]) }]])
  await expect(inspectTable(uri, "docs")).rejects.toThrow(/"docs" does not exist in .*; it has plain/)
  const missing = inspectTable(join(uri, "none"), "docs")
  await expect(missing).rejects.toThrow(TableError)
  await expect(missing).rejects.toThrow(/there is no folder/)
})
