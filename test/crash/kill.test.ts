/** Kills a run, again and again, and expects the table of a run that nobody disturbed. */
import type { ChildProcess } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { connect } from "@lancedb/lancedb"
import { afterAll, beforeAll, expect, it } from "vitest"
import { CRASH_POINTS } from "../../src/engine/crash-point.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import { leftovers, readTables, runChild, type Tables, type Watch } from "../fixtures/killing.ts"

const KILLS = 30
/** A table takes about a hundred commits. */
const COMMITS_PER_KILL = 12
const child = fileURLToPath(new URL("./ingest-child.ts", import.meta.url))

let root = ""
let folder = ""
let clean: Tables

const ingest = (from: string, uri: string, crash: readonly string[] = [], watch: Watch = {}) =>
  runChild(child, [from, uri, ...crash], watch)

const fileCount = async (uri: string): Promise<number> => {
  const table = await (await connect(uri)).openTable("t")
  return (await table.stats()).fragmentStats.numFragments
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-kill-test-"))
  folder = join(root, "files")
  await writeSeededFolder(folder)
  const { summary } = await ingest(folder, join(root, "clean"))
  expect(summary?.items).toMatchObject({ pending: 0 })
  clean = await readTables(join(root, "clean"))
  expect(clean.t?.length).toBeGreaterThan(500)
  expect(clean.t__thumbnails?.length).toBeGreaterThan(60)
}, 120_000)

afterAll(() => rm(root, { recursive: true, force: true }))

it(`ends with the same table after ${KILLS} kills at random moments`, { timeout: 280_000 }, async () => {
  let kills = 0
  let effective = 0
  for (let round = 0; kills < KILLS; round++) {
    const uri = join(root, `random-${round}`)
    for (let complete = false; !complete; ) {
      // One in five may die before it has written anything; the others after a few commits and some milliseconds more.
      let commits = Math.floor(Math.random() * COMMITS_PER_KILL)
      const later = (process: ChildProcess, milliseconds: number) =>
        setTimeout(() => process.kill("SIGKILL"), Math.random() * milliseconds)
      const early = kills % 5 === 0
      // Enough kills: let it finish.
      const watch: Watch =
        kills >= KILLS
          ? {}
          : {
              started: (process) => early && later(process, 1000),
              committed: (process) => !early && commits-- === 0 && later(process, 40),
            }
      const ended = await ingest(folder, uri, [], watch)
      complete = !ended.killed
      if (ended.killed) {
        kills++
        if (existsSync(join(uri, "t.lance"))) effective++
      }
    }
    expect(await readTables(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  }
  // Kills before the first write prove nothing.
  expect(effective).toBeGreaterThan(KILLS / 3)
})

const isMaintenance = (point: string): boolean => point.includes("maintain")

it.each(CRASH_POINTS.filter((point) => !isMaintenance(point)))(
  "ends with the same table after a kill at %s",
  { timeout: 60_000 },
  async (point) => {
    const uri = join(root, point)
    // The points around a removal are reached only where something was cut: cut something first.
    if (point.includes("remove")) await ingest(folder, uri, ["after-commit", "20"])
    // Records and removals are rare, so they are met the first time.
    const count = /side|commit/.test(point) && !point.includes("remove") ? 2 : 0
    const ended = await ingest(folder, uri, [point, String(count)])
    expect(ended.killed).toBe(true)
    await ingest(folder, uri)
    expect(await readTables(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  },
)

it.each([...CRASH_POINTS.filter(isMaintenance), "during-maintain"])(
  "ends with the same table after a kill at %s",
  { timeout: 60_000 },
  async (point) => {
    // Tables with blobs are not compacted, so this one has texts only.
    const texts = join(folder, "texts")
    const uri = join(root, point)
    const undisturbed = join(root, `${point}-clean`)
    await ingest(texts, undisturbed)
    // Compaction is due at the 256th commit.
    const ended = await ingest(texts, uri, [point, "255"])
    expect(ended.killed).toBe(true)
    await ingest(texts, uri)
    expect(await readTables(uri)).toEqual(await readTables(undisturbed))
    expect(leftovers(uri)).toEqual([])
    // Each of its more than 256 commits was a file: it was really compacted.
    expect(await fileCount(uri)).toBeLessThan(100)
  },
)
