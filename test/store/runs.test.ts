import { existsSync } from "node:fs"
import { readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import type { RunRecord } from "../../src/model/run.ts"
import { connect, RUNS_TABLE, tableNames } from "../../src/store/database.ts"
import { recordRun, runsOf } from "../../src/store/runs.ts"
import { runRecord } from "../fixtures/runs.ts"
import { tempFolder } from "../fixtures/temp.ts"

const started = (run: string, minute: number, table = "t"): RunRecord =>
  runRecord({ run, table, started: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString() })

const ended = (run: RunRecord): RunRecord => ({
  ...run,
  ended: "2026-01-01T01:00:00.000Z",
  ending: "complete",
  last_version: 9,
  rows: 2 ** 40,
  listed: 8,
  done: 7,
  partial: 1,
  failed: 1,
})

it("keeps one row a run, newest first", async () => {
  const uri = await tempFolder()
  const db = await connect(uri)
  expect(await runsOf(db)).toEqual([])
  const first = started("a", 1)
  const second = started("b", 3, "it's")
  const third = started("c", 2)
  for (const run of [first, second, third, ended(first)]) await recordRun(db, uri, run)
  expect(await runsOf(db)).toEqual([second, third, ended(first)])
  expect(await runsOf(db, "t")).toEqual([third, ended(first)])
  expect(await runsOf(db, "it's")).toEqual([second])
  expect(await tableNames(db)).toEqual([])
  db.close()
})

it("takes runs of several writers at the same time, the first one included, and stays small", async () => {
  const uri = await tempFolder()
  const writers = await Promise.all([connect(uri), connect(uri), connect(uri)])
  await Promise.all(
    writers.map(async (db, writer) => {
      for (let count = 0; count < 20; count++) {
        const run = started(`${writer}-${count}`, count)
        await recordRun(db, uri, run)
        await recordRun(db, uri, ended(run))
      }
    }),
  )
  const db = await connect(uri)
  const runs = await runsOf(db)
  expect(new Set(runs.map((run) => run.run)).size).toBe(60)
  expect(runs).toHaveLength(60)
  expect(runs.filter((run) => run.ended === null)).toEqual([])
  const table = await db.openTable(RUNS_TABLE)
  expect((await table.stats()).fragmentStats.numFragments).toBeLessThanOrEqual(50)
  for (const open of [db, ...writers]) open.close()
})

it("clears away what a killed writer has left", async () => {
  const uri = await tempFolder()
  const db = await connect(uri)
  await recordRun(db, uri, started("a", 1))
  const left = join(uri, `${RUNS_TABLE}.lance`, "data", ".tmpVZ6YvK")
  await writeFile(left, "half")
  await recordRun(db, uri, ended(started("a", 1)))
  expect(existsSync(left)).toBe(false)
  expect(await readdir(join(uri, ".sluice"))).toEqual([])
  db.close()
})
