/** A table that is written in very many small commits stays small and fast, and keeps what may still be wanted. */
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { batchOf } from "../../src/model/batch.ts"
import { bytesColumn, int32Column, textColumn } from "../../src/model/column.ts"
import { withHidden } from "../../src/model/rows.ts"
import type { RunRecord } from "../../src/model/run.ts"
import type { Writer } from "../../src/model/sink.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { sidesAt } from "../../src/store/history.ts"
import { recordRun } from "../../src/store/runs.ts"
import { tidy } from "../../src/store/upkeep.ts"
import { runRecord } from "../fixtures/runs.ts"
import { tempFolder } from "../fixtures/temp.ts"

const runAt = (run: string, hoursAgo: number): RunRecord =>
  runRecord({
    run,
    started: new Date(Date.now() - hoursAgo * 3_600_000).toISOString(),
    first_version: 1,
    last_version: 1,
    rows: 1,
  })

const commits = async (writer: Writer, from: number, to: number, blob?: Uint8Array): Promise<void> => {
  for (let n = from; n < to; n++) {
    const columns = { n: int32Column([n]), ...(blob && { video: bytesColumn([blob], { name: "VIDEO", blob: true }) }) }
    const span = { item: `item-${n}`, version: "1", firstRow: 0, rows: 1, end: true, medium: "" }
    await writer.write(withHidden(batchOf(columns), [span], n + 1))
    await writer.commit()
    await writer.maintain()
  }
}

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )

const open = async (uri: string) => {
  const db = await connect(uri)
  const table = await db.openTable("t")
  return { db, table }
}

it("compacts many small commits, and keeps all versions while there have been few runs", {
  timeout: 60_000,
}, async () => {
  const uri = await tempFolder()
  const writer = await lance({ uri, table: "t" }).open({ create: "new" })
  await commits(writer, 0, 530)
  const { db, table } = await open(uri)
  expect((await table.stats()).fragmentStats.numFragments).toBeLessThan(60)
  await table.checkout(100)
  expect(await table.countRows()).toBe(100)
  table.close()
  db.close()
  await writer.close()
})

it("removes the versions of older runs, but none from a tagged one on", { timeout: 60_000 }, async () => {
  const uri = await tempFolder()
  const writer = await lance({ uri, table: "t" }).open({ create: "new" })
  await commits(writer, 0, 60)
  const { db, table } = await open(uri)
  await recordRun(db, uri, runAt("old", 1))
  for (let run = 0; run < 10; run++) await recordRun(db, uri, runAt(`run-${run}`, 0))
  await commits(writer, 60, 80)
  await table.checkoutLatest()
  const tags = await table.tags()
  const versions = () => readdirSync(join(uri, "t.lance", "_versions")).length
  const later = (hours: number) => tidy(db, uri, "t", table, Date.now() + hours * 3_600_000)

  // What is younger than an hour may be being read.
  await later(0)
  expect(versions()).toBeGreaterThanOrEqual(80)
  await tags.create("kept", 40)
  await later(2)
  expect(versions()).toBeGreaterThanOrEqual(40)
  expect(versions()).toBeLessThan(60)
  await table.checkout("kept")
  expect(await table.countRows()).toBe(40)
  await table.checkoutLatest()
  await tags.delete("kept")
  await later(2)
  expect(versions()).toBeGreaterThanOrEqual(20)
  expect(versions()).toBeLessThan(30)
  expect(await table.countRows()).toBe(80)
  table.close()
  db.close()
  await writer.close()
})

it("keeps what side tables were like at every version that is kept", async () => {
  const uri = await tempFolder()
  const writer = await lance({ uri, table: "t" }).open({ create: "new" })
  const side = await writer.side("items")
  const write = async (text: string): Promise<number> => {
    await side.write(batchOf({ text: textColumn([text]) }))
    return side.commit()
  }
  await write("first")
  const before = await write("before the table's version")
  await commits(writer, 0, 3)
  // From here on versions are kept.
  await sleep(20)
  const { db, table } = await open(uri)
  for (let run = 0; run < 10; run++) await recordRun(db, uri, runAt(`run-${run}`, 0))
  await write("after it")
  const items = await db.openTable("t__items")
  await tidy(db, uri, "t", items, Date.now() + 7_200_000)
  expect(await sidesAt(db, table, 3)).toEqual(new Map([["items", before]]))
  items.close()
  table.close()
  db.close()
  await writer.close()
})

it("rewrites large values rarely, and does not leave them behind", { timeout: 120_000 }, async () => {
  const uri = await tempFolder()
  const blob = new Uint8Array(Buffer.alloc(200_000, 7))
  const writer = await lance({ uri, table: "t" }).open({ create: "new" })
  await commits(writer, 0, 300, blob)
  const folder = join(uri, "t.lance")
  const { db, table } = await open(uri)
  expect((await table.stats()).fragmentStats.numFragments).toBe(300)
  const before = bytesOf(folder)
  expect(before).toBeLessThan(300 * 200_000 * 1.2)
  await sleep(20)
  for (const round of ["a", "b"]) {
    for (let run = 0; run < 10; run++) await recordRun(db, uri, runAt(`${round}-${run}`, 0))
    await tidy(db, uri, "t", table, Date.now() + 7_200_000)
    await sleep(20)
  }
  expect((await table.stats()).fragmentStats.numFragments).toBe(1)
  expect(bytesOf(folder)).toBeLessThan(before * 1.1)
  const [value] = await table.fetchBlobs("video", [0n])
  expect(value).toEqual(Buffer.from(blob))
  table.close()
  db.close()
  await writer.close()
})

it("does nothing to those who are reading: they see their version to its end", { timeout: 60_000 }, async () => {
  const uri = await tempFolder()
  const sink = lance({ uri, table: "t" })
  const writer = await sink.open({ create: "new" })
  await commits(writer, 0, 500)
  const reader = await sink.view()
  const batches = reader.read(["_row"])[Symbol.asyncIterator]()
  let seen = (await batches.next()).value?.rows ?? 0
  expect(seen).toBeGreaterThan(0)
  const { db, table } = await open(uri)
  const before = (await table.stats()).fragmentStats.numFragments
  await commits(writer, 500, 530)
  await table.checkoutLatest()
  expect((await table.stats()).fragmentStats.numFragments).toBeLessThan(before)
  for (let next = await batches.next(); !next.done; next = await batches.next()) seen += next.value.rows
  expect(seen).toBe(500)
  // Another reading of the same version, begun after its files were put together.
  let again = 0
  for await (const batch of reader.read(["_row"])) again += batch.rows
  expect(again).toBe(500)
  await reader.close()
  table.close()
  db.close()
  await writer.close()
})
