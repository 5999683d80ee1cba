/**
 * Runs with \`durability: fsync\` whose machine loses power: what was not forced to the disk, by the log of what was, is
 * truncated, deleted or left as it is, at random.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { beforeAll, expect, it } from "vitest"
import type { CrashPoint } from "../../src/engine/crash-point.ts"
import { dice } from "../../src/model/dice.ts"
import { leftovers, type Snapshot, takeSnapshot } from "../../src/selftest/snapshot.ts"
import { writeSeededFolder } from "../fixtures/folder.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { ingest, ingestLogged } from "./child.ts"

let folder = ""
let clean: Snapshot

beforeAll(async () => {
  const root = await tempFolder()
  folder = join(root, "files")
  await writeSeededFolder(folder)
  await ingest({ folder, uri: join(root, "clean"), commitEvery: 40 })
  clean = await takeSnapshot(join(root, "clean"))
  expect(clean.t?.length).toBeGreaterThan(500)
}, 60_000)

/** Files that are on the disk for sure: they were forced to it, and after them the folder that has their name. */
const forcedOf = (log: string): Set<string> => {
  const forced = new Set<string>()
  let named = new Set<string>()
  // Nothing may have been forced at all.
  const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []
  for (const line of lines.reverse()) {
    const { path } = JSON.parse(line) as { readonly path: string }
    if (named.has(dirname(path))) forced.add(path)
    named = named.add(path)
  }
  return forced
}

/** Every file that is not on the disk for sure; the lock and the mark are replaced as a whole. */
const unsureFiles = (uri: string, forced: ReadonlySet<string>): string[] =>
  readdirSync(uri, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith(".sluice"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !forced.has(path))

const FATES: readonly ((path: string) => void)[] = [
  () => {},
  (path) => rmSync(path),
  (path) => truncateSync(path, 0),
  (path) => truncateSync(path, 10),
]

/** Starts the machine anew. */
const boot = (uri: string): void => {
  const state = join(uri, ".sluice")
  for (const name of readdirSync(state).filter((one) => one.endsWith(".synced"))) {
    const mark = JSON.parse(readFileSync(join(state, name), "utf8"))
    writeFileSync(join(state, name), JSON.stringify({ ...mark, boot: "another" }))
  }
}

/** Gives how many files were at risk. */
const losePower = (uri: string, log: string, seed: number): number => {
  const next = dice(seed)
  const unsure = unsureFiles(uri, forcedOf(log))
  for (const path of unsure) FATES[Math.floor(next() * FATES.length)]?.(path)
  boot(uri)
  return unsure.length
}

const durable = { durability: "fsync", commitEvery: 40 } as const

it("keeps everything of a run that has ended", { timeout: 60_000 }, async () => {
  const root = await tempFolder()
  const [uri, log] = [join(root, "db"), join(root, "log")]
  await ingestLogged({ ...durable, folder, uri }, log)
  losePower(uri, log, 1)
  expect(await takeSnapshot(uri)).toEqual(clean)
  const { summary } = await ingest({ ...durable, folder, uri })
  expect(summary).toMatchObject({ rows: 0, warnings: [] })
  expect(summary?.items.unchanged).toBeGreaterThan(40)
})

const MOMENTS: readonly (readonly [CrashPoint, number])[] = [
  ["before-commit", 4],
  ["after-side", 0],
  ["after-commit", 7],
  ["after-records", 0],
]

it.each(MOMENTS)(
  "comes to the same end after a loss of power at %s (%i)",
  { timeout: 60_000 },
  async (point, after) => {
    const root = await tempFolder()
    const [uri, log] = [join(root, "db"), join(root, "log")]
    expect((await ingestLogged({ ...durable, folder, uri, point, after }, log)).killed).toBe(true)
    losePower(uri, log, after)
    await ingest({ ...durable, folder, uri })
    expect(await takeSnapshot(uri)).toEqual(clean)
    expect(leftovers(uri)).toEqual([])
  },
)

it("goes back to what is on the disk when the newest version is not", { timeout: 60_000 }, async () => {
  const root = await tempFolder()
  const [uri, log] = [join(root, "db"), join(root, "log")]
  await ingestLogged({ ...durable, folder, uri, point: "after-commit", after: 5 }, log)
  // As if the power had gone before the last commit was forced to the disk.
  const paths = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line): string => JSON.parse(line).path)
  const before = paths.slice(0, paths.lastIndexOf(join(uri, ".sluice", "t.synced.tmp")))
  const last = before.slice(before.lastIndexOf(join(uri, ".sluice", "t.synced.tmp")) + 1)
  const lost = last.filter((path) => /\.(lance|manifest)$/.test(path) && statSync(path).isFile())
  expect(lost.length).toBeGreaterThan(1)
  for (const path of lost) truncateSync(path, 0)
  const mark = join(uri, ".sluice", "t.synced")
  const { version } = JSON.parse(readFileSync(mark, "utf8"))
  writeFileSync(mark, JSON.stringify({ version: version - 1, boot: "another" }))
  const { summary } = await ingest({ ...durable, folder, uri })
  expect(summary?.warnings.join()).toContain(`it stands at version ${version - 1} again`)
  expect(await takeSnapshot(uri)).toEqual(clean)
})

it("is needed: without it the same loss costs the table", { timeout: 60_000 }, async () => {
  const root = await tempFolder()
  const [uri, log] = [join(root, "db"), join(root, "log")]
  await ingestLogged({ folder, uri, commitEvery: 40 }, log)
  for (const path of unsureFiles(uri, forcedOf(log))) truncateSync(path, 0)
  await expect(ingest({ folder, uri, commitEvery: 40 })).rejects.toThrow()
})
