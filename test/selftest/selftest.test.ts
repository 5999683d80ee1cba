import { existsSync } from "node:fs"
import { readdir, rm } from "node:fs/promises"
import { expect, it } from "vitest"
import { CELLS } from "../../src/selftest/cells.ts"
import { selftest } from "../../src/selftest/selftest.ts"

const KILLS = 4

/** Each source, mode and kind of rows is in one of them; `.ci/run` tries all 18 with 200 kills. */
const SOME = [CELLS[0], CELLS[9], CELLS[16]].filter((cell) => cell !== undefined)

it(`finds nothing after ${KILLS} kills`, { timeout: 280_000 }, async () => {
  const { cells, kills, kept } = await selftest({ kills: KILLS, seed: 7, cells: SOME, env: process.env })
  expect(cells.flatMap(({ problems }) => problems)).toEqual([])
  expect(cells.map(({ cell }) => cell)).toEqual(SOME)
  // A kill that is told by the clock may come when its run has ended.
  expect(kills).toBeGreaterThan(KILLS / 2)
  expect(kept).toBeUndefined()
})

it("finds rows that are lost when the checkpoint is committed apart from them", { timeout: 60_000 }, async () => {
  const cells = CELLS.filter(({ source, mode, rows }) => source === "files" && mode === "append" && rows === "lean")
  // The first kill of this seed is between the two commits.
  const { cells: found, kept = "" } = await selftest({ kills: 1, seed: 19, mutate: true, cells, env: process.env })
  expect(found[0]?.problems.join()).toMatch(/^t: expected 122 rows, found \d+ \(\d+ lost, 0 repeated/)
  // What is wrong can be looked at.
  expect(existsSync(kept)).toBe(true)
  expect(await readdir(kept)).toEqual(["files-append-lean"])
  await rm(kept, { recursive: true })
})
