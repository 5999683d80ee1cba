/**
 * The table of runs, `_sluice_runs`: one row for each run of any pipeline into the database, written when the run
 * starts and again when it ends. A run without an end is going on, or was killed.
 *
 * The writers of all tables write here, so nothing is locked: a row is put in one atomic commit, and again on a conflict.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Batch, batchOf } from "../model/batch.ts"
import { numberColumn, textColumn, type Value, valueAt } from "../model/column.ts"
import { messageOf } from "../model/errors.ts"
import type { RunRecord } from "../model/run.ts"
import type { ColumnType, Schema } from "../model/types.ts"
import { arrow, fromRecordBatch, toField, toTable } from "./arrow.ts"
import { type Connection, RUNS_TABLE, type Table, tableNames } from "./database.ts"
import { quoteName, quoteText } from "./filter.ts"

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

const SCHEMA: Schema = new Map<string, ColumnType>([
  ...TEXTS.map((name) => [name, { name: "TEXT" }] as const),
  ...NUMBERS.map((name) => [name, { name: "INT64" }] as const),
])

const toBatch = (run: RunRecord): Batch =>
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

const ATTEMPTS = 6
const FIRST_WAIT = 50

/** Another writer came first, or compacted away what was being read. The store has tried again by itself before. */
const isConflict = (error: unknown): boolean => /conflict|concurrent|not found/i.test(messageOf(error))

const retried = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt === ATTEMPTS || !isConflict(error)) throw error
      await sleep(Math.random() * FIRST_WAIT * 2 ** attempt)
    }
  }
}

const withRuns = async <T>(open: () => Promise<Table>, work: (runs: Table) => Promise<T>): Promise<T> =>
  retried(async () => {
    const runs = await open()
    try {
      return await work(runs)
    } finally {
      runs.close()
    }
  })

/** A run leaves one small file and two versions. Reading the manifest tells the files; listing versions is slow. */
const MAX_FILES = 50
/** Versions that a process may still be reading stay. */
const KEEP_VERSIONS = 60_000

/** Writes the row of a run, in place of an earlier one with its id. */
export const recordRun = async (db: Connection, run: RunRecord): Promise<void> => {
  const row = toTable(SCHEMA, [toBatch(run)])
  const schema = new arrow.Schema([...SCHEMA].map(([name, type]) => toField(name, type)))
  await withRuns(
    () => db.createEmptyTable(RUNS_TABLE, schema, { mode: "create", existOk: true }),
    async (runs) => {
      await runs.mergeInsert("run").whenMatchedUpdateAll().whenNotMatchedInsertAll().execute(row)
      if ((await runs.stats()).fragmentStats.numFragments <= MAX_FILES) return
      await runs.optimize({ cleanupOlderThan: new Date(Date.now() - KEEP_VERSIONS) })
    },
  )
}

/** The runs of a database, or of one table in it, newest first. */
export const runsOf = async (db: Connection, table?: string): Promise<RunRecord[]> => {
  if (!(await tableNames(db, true)).includes(RUNS_TABLE)) return []
  return withRuns(
    () => db.openTable(RUNS_TABLE),
    async (runs) => {
      const query = runs.query().select([...SCHEMA.keys()])
      if (table !== undefined) query.where(`${quoteName("table")} = ${quoteText(table)}`)
      const records: RunRecord[] = []
      for await (const record of query) {
        const batch = fromRecordBatch(record)
        for (let row = 0; row < batch.rows; row++) records.push(fromBatch(batch, row))
      }
      return records.sort((a, b) => (a.started < b.started ? 1 : a.started > b.started ? -1 : 0))
    },
  )
}
