import { join } from "node:path"
import { expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { peekRows } from "../../src/dataset/peek.ts"
import { execute } from "../../src/engine/run.ts"
import { batchOf } from "../../src/model/batch.ts"
import { bytesColumn, int32Column, textColumn, vectorColumn } from "../../src/model/column.ts"
import { IngestError, TableError } from "../../src/model/errors.ts"
import type { Normalize } from "../../src/model/normalizer.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { picture } from "../fixtures/image.ts"
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
    indexes: [{ column: "text", type: "BM25", indexedRows: 4, unindexedRows: 0 }],
    thumbnails: 6,
  })
  expect(before.hidden.map((column) => column.name)).toEqual(["_item", "_version", "_row", "_commit", "_end"])
  expect(before.bytes).toBeGreaterThan(200_000)
  // "a", "partial-1" and twice "more"; two videos; two vectors that are there or not.
  expect(before.columns.map(({ bytes, estimated }) => [bytes, estimated])).toEqual([
    [18, false],
    [200_000, false],
    [32, false],
  ])

  await writeTable(uri, "docs", [["later", { text: textColumn(["x", "y", "z"]) }]])
  const after = await inspectTable(uri, "docs")
  expect(after.version).toBeGreaterThan(before.version)
  expect(after).toMatchObject({ rows: 7, items: { done: 3 }, indexes: [{ indexedRows: 4, unindexedRows: 3 }] })
  expect(after.versions.kept).toBe(after.version)

  // As it was: also what was failed then, and has come through or gone since.
  const writer = await lance({ uri, table: "docs" }).open({ create: "if-missing" })
  await (await writer.side("items")).remove({})
  await writer.close()
  expect((await inspectTable(uri, "docs")).items).toEqual({ done: 3, failed: 0, partial: 0, empty: 0 })
  const then = await inspectTable(uri, "docs", { at: before.version })
  expect(then).toEqual({ ...before, versions: then.versions, bytes: then.bytes })
})

it("shows the first rows, with bytes as what they are", async () => {
  const uri = await tempFolder()
  const photo = await picture(30, 20).jpeg().toBuffer()
  const clip = new Uint8Array(500_000)
  clip.set(photo)
  await writeTable(uri, "media", [
    [
      "a",
      {
        clip: bytesColumn([clip, null], { name: "VIDEO", blob: true }),
        photo: bytesColumn([photo, photo.subarray(0, 100)], { name: "IMAGE" }),
        text: textColumn(["x", "y"]),
        data: bytesColumn([Uint8Array.of(0, 1, 2), Uint8Array.of()], { name: "BINARY" }),
        vector: vectorColumn([[0.5, 1], null], { name: "EMBEDDING", size: 2 }),
      },
    ],
  ])
  const data = { type: null, bytes: 3 }
  expect(await peekRows(uri, "media", { limit: 5 })).toEqual([
    {
      clip: { type: "image/jpeg", bytes: 500_000 },
      photo: { type: "JPEG", bytes: photo.length, width: 30, height: 20 },
      text: "x",
      data,
      vector: [0.5, 1],
    },
    { clip: null, photo: { type: "image/jpeg", bytes: 100 }, text: "y", data: { ...data, bytes: 0 }, vector: null },
  ])
  expect(await peekRows(uri, "media", { limit: 0 })).toEqual([])
})

it("estimates the bytes of large tables from some of their rows", async () => {
  const uri = await tempFolder()
  const rows = Array.from({ length: 3000 }, (_, row) => row)
  await writeTable(uri, "large", [
    [
      "a",
      {
        text: textColumn(rows.map((row) => "x".repeat(row % 10))),
        photo: bytesColumn(
          rows.map(() => new Uint8Array(70)),
          { name: "IMAGE" },
        ),
        id: int32Column(rows),
      },
    ],
  ])
  const [text, photo, id] = (await inspectTable(uri, "large")).columns
  expect(text).toMatchObject({ estimated: true })
  expect(Math.abs((text?.bytes ?? 0) - 13_500)).toBeLessThan(1000)
  expect(photo).toMatchObject({ bytes: 210_000, estimated: true })
  expect(id).toMatchObject({ bytes: 12_000, estimated: false })
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
