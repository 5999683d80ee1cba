/** Kills the ingest of a class of one's own, again and again, and expects the table of a run that nobody disturbed. */
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { connect } from "@lancedb/lancedb"
import { expect, it } from "vitest"
import { leftovers, takeSnapshot } from "../../src/selftest/snapshot.ts"
import { runChild } from "../fixtures/killing.ts"
import { tempFolder } from "../fixtures/temp.ts"

const KILLS = 3
/** An undisturbed run takes 23. */
const COMMITS_PER_KILL = 3
const ROWS = 90
const child = fileURLToPath(new URL("./format-child.ts", import.meta.url))

const commitsOf = async (uri: string): Promise<number[]> => {
  const rows = await (await (await connect(uri)).openTable("t")).query().select(["_row", "_commit"]).toArray()
  return rows.sort((a, b) => a._row - b._row).map((row) => Number(row._commit))
}

const killAtCommit = (uri: string, mode: string, commits: number) => {
  let left = commits
  const later = (process: ChildProcess): unknown => setTimeout(() => process.kill("SIGKILL"), Math.random() * 20)
  return runChild(child, [mode, uri], { committed: (process) => left-- === 0 && later(process) })
}

it.each(["resumable", "anew"])(
  `a format (%s) killed ${KILLS} times ends with the same table`,
  async (mode) => {
    const root = await tempFolder()
    const clean = join(root, "clean")
    await runChild(child, [mode, clean])
    const expected = await takeSnapshot(clean)
    expect(expected.t).toHaveLength(ROWS)
    expect(expected.t__thumbnails).toHaveLength(4 * ROWS)

    const uri = join(root, "killed")
    let kills = 0
    for (let complete = false; kills < KILLS && !complete; ) {
      // Each run commits something, so that one that goes on is further each time; a slow parent may kill too late.
      complete = !(await killAtCommit(uri, mode, Math.floor(Math.random() * COMMITS_PER_KILL))).killed
      if (!complete) kills++
    }
    expect(kills).toBeGreaterThan(KILLS / 2)
    const before = await commitsOf(uri)
    const last = await runChild(child, [mode, uri])
    const kept = mode === "resumable" ? before.length : 0
    expect(last.summary?.rows).toBe(ROWS - kept)
    const commits = await commitsOf(uri)
    // Rows that stayed have the number of the commit that once wrote them.
    expect(commits.slice(0, kept)).toEqual(before.slice(0, kept))
    expect(new Set(commits.slice(0, kept)).size).toBeGreaterThanOrEqual(mode === "resumable" ? kills : 0)
    expect(await takeSnapshot(uri)).toEqual(expected)
    expect(leftovers(uri)).toEqual([])
  },
  60_000,
)
