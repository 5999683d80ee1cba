/** Kills runs that bring a table in line with a folder that has changed, at named points; test/selftest does at random ones. */
import { cp, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import { CHANGE_CRASH_POINTS, type CrashPoint } from "../../src/engine/crash-point.ts"
import { leftovers, type Snapshot, sorted, takeSnapshot } from "../../src/selftest/snapshot.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { ingest } from "./child.ts"

let root = ""
let folder = ""
/** A database of the folder as it was. */
let before = ""
let clean: Snapshot

const sync = (uri: string, point?: CrashPoint) => ingest({ folder, uri, mode: "sync", ...(point && { point }) })

const filesOf = async (sub: string): Promise<string[]> =>
  (await readdir(join(folder, sub))).sort().map((name) => join(folder, sub, name))

beforeAll(async () => {
  root = await tempFolder()
  folder = join(root, "files")
  before = join(root, "before")
  await writeSeededFolder(folder)
  const broken = join(folder, "texts", "later.png")
  await writeFile(broken, "no picture yet")
  await ingest({ folder, uri: before })
  // One row becomes many, many become one, one becomes none, some vanish, one that was broken comes through.
  const texts = (await filesOf("texts")).filter((name) => name.endsWith(".md"))
  const [grows = "", shrinks = "", empties = "", gone = ""] = texts
  await writeFile(grows, "longer ".repeat(4000))
  await writeFile(shrinks, "short")
  await writeFile(empties, "")
  await rm(gone)
  const [picture = "", other = "", third = ""] = await filesOf("pictures")
  await cp(picture, broken)
  await rm(other)
  await cp(picture, third)
  await writeFile(join(folder, "texts", "new.txt"), "new words")
  const uri = join(root, "clean")
  await cp(before, uri, { recursive: true })
  const { summary } = await sync(uri)
  expect(summary?.items).toMatchObject({ removed: 2, pending: 0 })
  expect(summary?.items.done).toBeGreaterThan(4)
  // Rows of changed items come after the others, and which of them share a commit is chance.
  clean = sorted(await takeSnapshot(uri))
}, 120_000)

const expectClean = async (uri: string): Promise<void> => {
  expect((await sync(uri)).summary?.items).toMatchObject({ pending: 0, outdated: 0 })
  expect(sorted(await takeSnapshot(uri))).toEqual(clean)
  expect(leftovers(uri)).toEqual([])
}

it.each([
  ...CHANGE_CRASH_POINTS,
  "before-remove-record",
  "before-remove-side",
  "before-remove",
  "after-remove",
] as const)("ends with the same table after a kill at %s", { timeout: 60_000 }, async (point) => {
  const uri = join(root, point)
  await cp(before, uri, { recursive: true })
  expect((await sync(uri, point)).killed).toBe(true)
  await expectClean(uri)
})
