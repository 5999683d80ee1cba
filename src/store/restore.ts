/**
 * Makes a table, with its side tables, what it was at an older version. Each of them takes a step of its own, so what is
 * to be done is written down first; who opens the table to write finds that, and ends it. To restore a part twice does
 * no harm: it comes out the same.
 *
 * What comes of it is the table as a killed run could have left it at that moment, so that every next run can go on.
 */
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Version } from "../model/sink.ts"
import { fromSchema } from "./arrow.ts"
import { type Connection, openExisting, sideTable, tableNames } from "./database.ts"
import { force, isDurable, openDurable, recover } from "./durable.ts"
import { stateFolder } from "./lock.ts"
import { edgeOf } from "./reader.ts"
import { changeRecord, recordRun } from "./runs.ts"
import { checkoutAt } from "./versions.ts"

/** What is written down: the version to go back to, and those of the side tables; 0 where they had no rows. */
export interface Restoring {
  readonly run: string
  readonly started: string
  /** Of the table, when it was begun. */
  readonly from: Version
  readonly version: Version
  readonly sides: Readonly<Record<string, Version>>
}

const planPath = (folder: string, table: string): string => join(stateFolder(folder), `${table}.restore`)

/** To be called under the table's lock, before {@link finishRestore} does it. */
export const planRestore = async (folder: string, table: string, plan: Restoring): Promise<void> => {
  const path = planPath(folder, table)
  await mkdir(stateFolder(folder), { recursive: true })
  await writeFile(`${path}.tmp`, JSON.stringify(plan), { flush: true })
  await rename(`${path}.tmp`, path)
  await force(stateFolder(folder))
}

/** A table that is dropped has nothing to be restored any more. */
export const forgetRestore = (folder: string, table: string): Promise<void> =>
  rm(planPath(folder, table), { force: true })

/** Makes one table what it was at the version; 0 is without rows. */
const restorePart = async (db: Connection, folder: string, name: string, version: Version): Promise<Version> => {
  const table = await openExisting(db, name)
  try {
    if (version === 0) await table.delete("true")
    else {
      await checkoutAt(table, folder, name, version)
      await table.restore()
    }
    const now = await table.version()
    if (await isDurable(folder, name)) await openDurable(folder, name, now)
    return now
  } finally {
    table.close()
  }
}

/**
 * Does what is written down, if anything. To be called under the table's lock.
 *
 * @param onStep told before each step.
 * @returns what was done, for a person to know; undefined when there was nothing to do.
 * @throws {TableError} when a version has gone that is to be restored.
 */
export const finishRestore = async (
  db: Connection,
  folder: string,
  table: string,
  onStep: (step: string) => void = () => {},
): Promise<string | undefined> => {
  const path = planPath(folder, table)
  if (!existsSync(path)) return undefined
  const plan = JSON.parse(await readFile(path, "utf8")) as Restoring
  const names = await tableNames(db, true)
  // A side table that has come since is not in the plan, and there is none: it was written under the lock.
  for (const [side, version] of Object.entries(plan.sides)) {
    const name = sideTable(table, side)
    if (!names.includes(name)) continue
    onStep(`restoring ${name}`)
    await recover(folder, name)
    await restorePart(db, folder, name, version)
  }
  onStep(`restoring ${table}`)
  const version = await restorePart(db, folder, table, plan.version)
  onStep("recording it")
  const restored = await openExisting(db, table)
  try {
    const counted = fromSchema(await restored.schema()).has("_commit")
    const last = counted ? await edgeOf(restored, "last") : 0
    const { run, started, from } = plan
    const record = { run, table, mode: "restore", pipeline: `version ${plan.version}`, started }
    const recorded = changeRecord({ ...record, commit: last, from, version })
    await recordRun(db, folder, recorded, await isDurable(folder, table))
  } finally {
    restored.close()
  }
  await forgetRestore(folder, table)
  return `Table ${JSON.stringify(table)}: a restore of version ${plan.version} that was interrupted was completed, as version ${version}`
}
