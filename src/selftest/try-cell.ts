/** Kills the runs of one cell again and again, and compares what comes out with a run that nobody disturbed. */
import { existsSync } from "node:fs"
import { cp, mkdir, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { messageOf } from "../model/errors.ts"
import { type Cell, LEAST_ROWS } from "./cells.ts"
import type { ChildTask } from "./child.ts"
import { changeInputs, writeInputs } from "./inputs.ts"
import { type Environment, nextKill, runChild } from "./kill.ts"
import { differences, leftovers, type Snapshot, sorted, takeSnapshot } from "./snapshot.ts"

export interface CellOptions {
  readonly cell: Cell
  /** A folder of its own; it is removed at the end when nothing was wrong. */
  readonly root: string
  readonly kills: number
  readonly next: () => number
  readonly mutate: boolean
  /** The environment of the runs. */
  readonly env: Environment
}

export interface CellResult {
  readonly cell: Cell
  readonly kills: number
  /** Kills of runs that had committed something. */
  readonly late: number
  /** How often the table was brought to its end, and compared. */
  readonly rounds: number
  /** Rows of the table in the end. */
  readonly rows: number
  /** What was wrong; empty when nothing was. */
  readonly problems: readonly string[]
}

/**
 * What killed runs have left in their folder for temporary files. The store keeps an empty folder there while it
 * deletes rows; nobody can tell it from another program's, so it stays.
 */
const temporary = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !(entry.isDirectory() && entry.name.startsWith(".tmp"))).map(({ name }) => name)
}

/** So many kills of one table at most, so that it comes to its end now and then. */
const KILLS_A_ROUND = 4

export const tryCell = async ({ cell, root, kills, next, mutate, env }: CellOptions): Promise<CellResult> => {
  const folder = join(root, "input")
  const tempDir = join(root, "tmp")
  const filled = cell.mode === "append" ? undefined : join(root, "filled")
  await mkdir(tempDir, { recursive: true })
  const childEnv = { ...env, TMPDIR: tempDir }
  const task = (uri: string, first = false): ChildTask => ({ cell, folder, uri, first, mutate })
  // Rows of changed items come after the others, and which of them share a commit is chance.
  const ordered = cell.mode !== "sync" && !mutate
  const snapshot = async (uri: string): Promise<Snapshot> =>
    ordered ? takeSnapshot(uri) : sorted(await takeSnapshot(uri))
  const newDatabase = async (name: string): Promise<string> => {
    const uri = join(root, name)
    if (filled) await cp(filled, uri, { recursive: true })
    return uri
  }

  await writeInputs(folder, cell)
  if (filled) {
    await runChild(task(filled, true), childEnv)
    await changeInputs(folder, cell)
  }
  const clean = await newDatabase("clean")
  const { passed } = await runChild(task(clean), childEnv)
  const expected = await snapshot(clean)
  const rows = expected.t?.length ?? 0
  const problems: string[] = []
  if (rows < LEAST_ROWS[cell.rows]) problems.push(`Expected at least ${LEAST_ROWS[cell.rows]} rows, found ${rows}`)

  let killed = 0
  let late = 0
  let round = 0
  // A kill that comes too late is none; so there is an end to how often it is tried.
  for (; killed < kills && round < 2 * kills + 2 && problems.length === 0; round++) {
    const uri = await newDatabase(`round-${round}`)
    try {
      for (let inRound = 0; inRound < KILLS_A_ROUND && killed < kills; inRound++) {
        const ended = await runChild(task(uri), childEnv, nextKill(next, passed))
        if (!ended.killed) break
        killed++
        if (ended.commits > 0) late++
      }
      await runChild(task(uri), childEnv)
      problems.push(...differences(expected, await snapshot(uri)))
    } catch (error) {
      problems.push(messageOf(error))
    }
    const left = [...(existsSync(uri) ? leftovers(uri) : []), ...(await temporary(tempDir))]
    if (left.length > 0) problems.push(`Expected no temporary files after the last run, found ${left.join(", ")}`)
    if (problems.length === 0) await rm(uri, { recursive: true })
  }
  if (problems.length === 0) await rm(root, { recursive: true })
  return { cell, kills: killed, late, rounds: round, rows, problems }
}
