/** Kills a run at named points, and expects the table of a run that nobody disturbed; test/selftest kills at random ones. */
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { CRASH_POINTS } from "../../src/engine/crash-point.ts"
import { leftovers, type Snapshot, takeSnapshot } from "../../src/selftest/snapshot.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { fileCount, ingest } from "./child.ts"

let root = ""
let folder = ""
let clean: Snapshot
/** The same of the texts alone, in as many commits as make a compaction due. */
let compacted: Snapshot
// Tables with blobs are hardly ever compacted.
const texts = () => ({ folder: join(folder, "texts"), commitEvery: 1 })

beforeAll(async () => {
  root = await tempFolder()
  folder = join(root, "files")
  await writeSeededFolder(folder)
  const { summary } = await ingest({ folder, uri: join(root, "clean") })
  expect(summary?.items).toMatchObject({ pending: 0 })
  clean = await takeSnapshot(join(root, "clean"))
  expect(clean.t?.length).toBeGreaterThan(500)
  expect(clean.t__thumbnails?.length).toBeGreaterThan(60)
  await ingest({ folder, uri: join(root, "cut"), point: "after-commit", after: 8 })
  await ingest({ ...texts(), uri: join(root, "compacted") })
  compacted = await takeSnapshot(join(root, "compacted"))
}, 120_000)

const isMaintenance = (point: string): boolean => point.includes("maintain")

it.each(CRASH_POINTS.filter((point) => !isMaintenance(point)))(
  "ends with the same table after a kill at %s",
  { timeout: 60_000 },
  async (point) => {
    const uri = join(root, point)
    // The points around a removal are reached only where something was cut before.
    if (point.includes("remove")) await cp(join(root, "cut"), uri, { recursive: true })
    // Records and removals are rare, so they are met the first time.
    const after = /side|commit/.test(point) && !point.includes("remove") ? 1 : 0
    const ended = await ingest({ folder, uri, point, after })
    expect(ended.killed).toBe(true)
    await ingest({ folder, uri })
    expect(await takeSnapshot(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  },
)

// Before it begins, all is as it is after a commit, which is tried above.
it.each(["during-maintain", "after-maintain"] as const)(
  "ends with the same table after a kill at %s",
  { timeout: 60_000 },
  async (point) => {
    const uri = join(root, point)
    // Compaction is due at the 512th commit.
    const ended = await ingest({ ...texts(), uri, point, after: 511 })
    expect(ended.killed).toBe(true)
    await ingest({ ...texts(), uri })
    expect(await takeSnapshot(uri)).toEqual(compacted)
    expect(leftovers(uri)).toEqual([])
    // Each of its more than 512 commits was a file: it was really compacted.
    expect(await fileCount(uri)).toBeLessThan(100)
  },
)
