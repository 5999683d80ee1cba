/**
 * The table of runs, `_sluice_runs`: one row for each run of any pipeline into the database, written when the run
 * starts and again when it ends. A run without an end is going on, or was killed.
 *
 * The writers of all tables write here, so each takes the lock for a moment, and waits for the others.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Batch, batchOf } from "../model/batch.ts"
import { numberColumn, textColumn, type Value, valueAt } from "../model/column.ts"
import { TableError } from "../model/errors.ts"
import type { RunRecord } from "../model/run.ts"
import type { ColumnType, Schema } from "../model/types.ts"
import { arrow, fromRecordBatch, toField, toTable } from "./arrow.ts"
import { type Connection, openExisting, RUNS_TABLE, tableNames } from "./database.ts"
import { forgetMark, openDurable, recover } from "./durable.ts"
import { quoteName, quoteText } from "./filter.ts"
import { acquireLock, type Lock } from "./lock.ts"
import { sweep } from "./sweep.ts"

const TEXTS = ["run", "pipeline", "table", "mode", "started", "ended", "ending"] as const
const NUMBERS = [
  "first_commit",
  "first_version",
  "last_version",
  "rows",
  "listed",
  "done",
  "partial",
  "unchanged",
  "outdated",
  "empty",
  "failed",
  "pending",
  "removed",
] as const

/** Columns of the table of runs. */
export const RUNS_SCHEMA: Schema = new Map<string, ColumnType>([
  ...TEXTS.map((name) => [name, { name: "TEXT" }] as const),
  ...NUMBERS.map((name) => [name, { name: "INT64" }] as const),
])

/** The row of a run. */
export const runBatch = (run: RunRecord): Batch =>
  batchOf(
    Object.fromEntries([
      ...TEXTS.map((name) => [name, textColumn([run[name]])] as const),
      ...NUMBERS.map((name) => [name, numberColumn(BigInt64Array.of(BigInt(run[name])), { name: "INT64" })] as const),
    ]),
  )

const fromBatch = (batch: Batch, row: number): RunRecord => {
  const value = (name: string): Value => {
    const column = batch.columns.get(name)
    return column ? valueAt(column, row) : null
  }
  return Object.fromEntries([
    ...TEXTS.map((name) => [name, value(name)]),
    ...NUMBERS.map((name) => [name, Number(value(name))]),
  ]) as RunRecord
}

/** Milliseconds that a writer waits for the others, and between its looks. */
const PATIENCE = 30_000
const LOOK = 20

/** Does the work while nobody else writes to the table of runs. */
const alone = async (folder: string, work: () => Promise<void>): Promise<void> => {
  const until = performance.now() + PATIENCE
  for (;;) {
    let lock: Lock
    try {
      lock = await acquireLock(folder, RUNS_TABLE)
    } catch (error) {
      if (!(error instanceof TableError) || performance.now() > until) throw error
      await sleep(LOOK * (1 + Math.random()))
      continue
    }
    try {
      return await work()
    } finally {
      await lock.release()
    }
  }
}

/** A run leaves one small file and two versions. Reading the manifest tells the files; listing versions is slow. */
const MAX_FILES = 50
/** Versions that a process may still be reading stay. */
const KEEP_VERSIONS = 60_000

/**
 * Writes the row of a run, in place of an earlier one with its id. `folder` is the database's.
 *
 * @param durable it has to survive a loss of power. Default: false.
 */
export const recordRun = (db: Connection, folder: string, run: RunRecord, durable = false): Promise<void> =>
  alone(folder, async () => {
    await recover(folder, RUNS_TABLE)
    await sweep(folder, RUNS_TABLE)
    const schema = new arrow.Schema([...RUNS_SCHEMA].map(([name, type]) => toField(name, type)))
    const there = (await tableNames(db, true)).includes(RUNS_TABLE)
    const runs = there ? await openExisting(db, RUNS_TABLE) : await db.createEmptyTable(RUNS_TABLE, schema)
    try {
      const row = toTable(RUNS_SCHEMA, [runBatch(run)])
      await runs.mergeInsert("run").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(row)
      if ((await runs.stats()).fragmentStats.numFragments > MAX_FILES) {
        await runs.optimize({ cleanupOlderThan: new Date(Date.now() - KEEP_VERSIONS) })
      }
      if (durable) await await openDurable(folder, RUNS_TABLE, await runs.version())
      else await forgetMark(folder, RUNS_TABLE)
    } finally {
      runs.close()
    }
  })

/** What has become of a table otherwise than by a run, such as a restore: the list tells where versions come from. */
interface Change extends Pick<RunRecord, "run" | "table" | "mode" | "pipeline" | "started"> {
  /** The last one before. */
  readonly commit: number
  readonly from: number
  readonly version: number
}

export const changeRecord = ({ commit, from, version, ...change }: Change): RunRecord => ({
  ...change,
  ended: new Date().toISOString(),
  ending: "complete",
  first_commit: commit + 1,
  first_version: from,
  last_version: version,
  rows: 0,
  listed: 0,
  done: 0,
  partial: 0,
  unchanged: 0,
  outdated: 0,
  empty: 0,
  failed: 0,
  pending: 0,
  removed: 0,
})

/** The runs of a database, or of one table in it, newest first. */
export const runsOf = async (db: Connection, table?: string): Promise<RunRecord[]> => {
  if (!(await tableNames(db, true)).includes(RUNS_TABLE)) return []
  const runs = await openExisting(db, RUNS_TABLE)
  try {
    const query = runs.query().select([...RUNS_SCHEMA.keys()])
    if (table !== undefined) query.where(`${quoteName("table")} = ${quoteText(table)}`)
    const records: RunRecord[] = []
    for await (const record of query) {
      const batch = fromRecordBatch(record)
      for (let row = 0; row < batch.rows; row++) records.push(fromBatch(batch, row))
    }
    return records.sort((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : 0))
  } finally {
    runs.close()
  }
}
