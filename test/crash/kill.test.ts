/** Kills a run, again and again, and expects the table of a run that nobody disturbed. */
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { CRASH_POINTS } from "../../src/engine/crash-point.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import { leftovers, readTables, type Tables } from "../fixtures/killing.ts"
import { fileCount, ingest, randomKill } from "./child.ts"

const KILLS = 30
/** A table takes about a hundred commits. */
const COMMITS_PER_KILL = 12

let root = ""
let folder = ""
let clean: Tables
/** The same of the texts alone, in as many commits as make a compaction due. */
let compacted: Tables
// Tables with blobs are hardly ever compacted.
const texts = () => ({ folder: join(folder, "texts"), commitEvery: 1 })

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-kill-test-"))
  folder = join(root, "files")
  await writeSeededFolder(folder)
  const { summary } = await ingest({ folder, uri: join(root, "clean") })
  expect(summary?.items).toMatchObject({ pending: 0 })
  clean = await readTables(join(root, "clean"))
  expect(clean.t?.length).toBeGreaterThan(500)
  expect(clean.t__thumbnails?.length).toBeGreaterThan(60)
  await ingest({ ...texts(), uri: join(root, "compacted") })
  compacted = await readTables(join(root, "compacted"))
}, 120_000)

afterAll(() => rm(root, { recursive: true, force: true }))

it(`ends with the same table after ${KILLS} kills at random moments`, { timeout: 280_000 }, async () => {
  let kills = 0
  let effective = 0
  for (let round = 0; kills < KILLS; round++) {
    const uri = join(root, `random-${round}`)
    for (let complete = false; !complete; ) {
      // One in five may die before it has written anything. Enough kills: let it finish.
      const ended = await ingest({ folder, uri }, kills < KILLS ? randomKill(COMMITS_PER_KILL, kills % 5 === 0) : {})
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
    if (point.includes("remove")) await ingest({ folder, uri, point: "after-commit", after: 20 })
    // Records and removals are rare, so they are met the first time.
    const after = /side|commit/.test(point) && !point.includes("remove") ? 2 : 0
    const ended = await ingest({ folder, uri, point, after })
    expect(ended.killed).toBe(true)
    await ingest({ folder, uri })
    expect(await readTables(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  },
)

it.each([...CRASH_POINTS.filter(isMaintenance), "during-maintain" as const])(
  "ends with the same table after a kill at %s",
  { timeout: 60_000 },
  async (point) => {
    const uri = join(root, point)
    // Compaction is due at the 512th commit.
    const ended = await ingest({ ...texts(), uri, point, after: 511 })
    expect(ended.killed).toBe(true)
    await ingest({ ...texts(), uri })
    expect(await readTables(uri)).toEqual(compacted)
    expect(leftovers(uri)).toEqual([])
    // Each of its more than 512 commits was a file: it was really compacted.
    expect(await fileCount(uri)).toBeLessThan(100)
  },
)
