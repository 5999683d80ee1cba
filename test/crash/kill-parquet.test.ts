/** Kills a run that writes Parquet, again and again, and expects the table of a run that nobody disturbed. */
import { createHash } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { sqlValues } from "../fixtures/duckdb.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import type { Watch } from "../fixtures/killing.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { ingest as ingestWith, randomKill } from "./child.ts"

const KILLS = 3
/** A table takes about 300 commits; shards are put together at every 64th. */
const COMMITS_PER_KILL = 60

type Tables = Readonly<Record<string, readonly string[]>>

const ingest = (from: string, uri: string, watch?: Watch) =>
  ingestWith({ folder: from, uri, sink: "parquet", commitEvery: 2 }, watch)

let root = ""
let folder = ""
let clean: Tables

const text = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return createHash("sha256").update(value).digest("hex")
  return typeof value === "bigint" ? String(value) : value
}

/** Every row of every table, without what may differ between runs: the commit and the run. */
const readTables = async (uri: string): Promise<Tables> => {
  const main = await parquet({ uri, table: "t" }).open({ create: "if-missing" })
  const tables: Record<string, string[]> = {}
  for (const name of ["", ...(await main.sides())]) {
    const writer = name === "" ? main : await main.side(name)
    const columns = [...writer.schema.keys()].filter((column) => !["_commit", "run"].includes(column)).sort()
    const rows: string[] = []
    for await (const batch of writer.read(columns)) {
      for (const row of rowsOf(batch, columns)) rows.push(JSON.stringify(row, (_, value) => text(value)))
    }
    // What others find in the folder is the same number of rows.
    const [count] = await sqlValues(`select count(*) from '${join(uri, name === "" ? "t" : `t__${name}`)}/*.parquet'`)
    expect(Number(count)).toBe(rows.length)
    // Records come in the order of failures.
    tables[name] = name === "items" ? rows.sort() : rows
  }
  await main.close()
  return tables
}

const leftovers = (uri: string): string[] =>
  readdirSync(uri, { recursive: true })
    .map(String)
    .filter((name) => /\.sluice\/(?!$)|\.draft|\.lock/.test(name))

beforeAll(async () => {
  root = await tempFolder()
  folder = join(root, "files")
  await writeSeededFolder(folder)
  const { summary } = await ingest(folder, join(root, "clean"))
  expect(summary?.items).toMatchObject({ pending: 0 })
  clean = await readTables(join(root, "clean"))
  expect(clean[""]?.length).toBeGreaterThan(500)
  expect(clean.thumbnails?.length).toBeGreaterThan(60)
}, 120_000)

it(`ends with the same table after ${KILLS} kills at random moments`, { timeout: 280_000 }, async () => {
  let kills = 0
  let effective = 0
  for (let round = 0; kills < KILLS; round++) {
    const uri = join(root, `random-${round}`)
    for (let complete = false; !complete; ) {
      const ended = await ingest(folder, uri, kills < KILLS ? randomKill(COMMITS_PER_KILL) : {})
      complete = !ended.killed
      if (ended.killed) {
        kills++
        if (existsSync(join(uri, "t"))) effective++
      }
    }
    expect(await readTables(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  }
  expect(effective).toBeGreaterThan(KILLS / 2)
})
