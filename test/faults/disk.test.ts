/** Disks that fill up under what is not the table of Lance (that is in test/crash/disk-full.test.ts). */
import { join } from "node:path"
import { afterEach, expect, it, vi } from "vitest"
import { isFatal } from "../../src/model/errors.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { files } from "../../src/sources/files.ts"
import { makeRoom, smallDisk } from "../fixtures/disk.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"

afterEach(() => {
  vi.unstubAllEnvs()
})

const failure = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error)

it("Parquet: the run ends at the last commit, and goes on when there is room", async ({ skip }) => {
  const uri = await smallDisk("100k")
  if (uri === undefined) return skip()
  // The texts are packed to nothing, but each commit is a file.
  const items = itemsOf(Array.from({ length: 2000 }, (): Behaviour => ({ rows: 2 })))
  const plan = () => testPlan(items, parquet({ uri, table: "t" }), "main", { flushEvery: 10, commitEvery: 20 })
  const error = await failure(run(plan()))
  expect(isFatal(error), String(error)).toBe(true)
  expect(String(error)).toMatch(/FatalError: The disk of .* is full; the table stands at its last commit/)
  makeRoom(uri)
  const { items: counts } = await run(plan())
  expect(counts).toMatchObject({ listed: 2000, failed: 0, pending: 0 })
  expect(counts.done + counts.unchanged).toBe(2000)
  expect(counts.unchanged).toBeGreaterThan(0)
})

it("dead letters: failures that cannot be recorded end the run", async ({ skip }) => {
  const uri = await smallDisk("200k")
  if (uri === undefined) return skip()
  const items = itemsOf(Array.from({ length: 20_000 }, (): Behaviour => ({ rows: 0, end: "throw" })))
  const plan = testPlan(items, lance({ uri, table: "t" }), "main", { errors: { max: 1e6 } })
  const error = await failure(run(plan))
  expect(isFatal(error), String(error)).toBe(true)
  expect(String(error)).toMatch(/FatalError: The disk of .* is full; table "t__items" stands at its last commit/)
})

it("intermediate files: no item is blamed for it", async ({ skip }) => {
  const disk = await smallDisk("60k")
  if (disk === undefined) return skip()
  const folder = await tempFolder()
  for (const name of ["a.mp4", "b.mp4"]) writeVideo(join(folder, name), { seconds: 12, width: 320, height: 240 })
  const database = new MemoryDatabase()
  vi.stubEnv("TMPDIR", disk)
  const plan = filesPlan({ name: "x", source: files({ include: folder }), sink: memory({ table: "t", database }) })
  const error = await failure(run(plan))
  expect(isFatal(error), String(error)).toBe(true)
  expect(String(error)).toMatch(/No space left on device/)
  expect(rowsOf(database.rows("t__items"))).toEqual([])
})
