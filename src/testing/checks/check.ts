/** Checks that authors run on parts of their own, with whatever test runner they have. */
import { rm } from "node:fs/promises"
import type { Plan } from "../../engine/plan.ts"
import { claimTempDir } from "../../engine/temp.ts"
import type { Batch } from "../../model/batch.ts"
import { type Value, valueAt } from "../../model/column.ts"
import type { Summary } from "../../model/events.ts"
import { start } from "../../pipeline.ts"
import type { MemoryDatabase } from "../../sinks/memory.ts"

/** One thing that a part has to do. `run` rejects where it does not, and says what was expected and what was found. */
export interface Check {
  readonly name: string
  readonly run: () => Promise<void>
}

/** @throws {Error} where `truth` is false. */
export const expected = (truth: boolean, message: string): void => {
  if (!truth) throw new Error(message)
}

export type PlainRow = Readonly<Record<string, Value>>

export const rowsOf = (batch: Batch, names: readonly string[] = [...batch.columns.keys()]): PlainRow[] =>
  Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(
      names.map((name) => {
        const column = batch.columns.get(name)
        return [name, column ? valueAt(column, row) : null]
      }),
    ),
  )

/** What a run has left in memory, without what tells one run from another. */
export const committed = (database: MemoryDatabase, table: string): PlainRow[] => {
  const batch = database.rows(table)
  return rowsOf(
    batch,
    [...batch.columns.keys()].filter((name) => name !== "_commit"),
  )
}

export interface Tried extends Summary {
  /** The first failure of an item. */
  readonly failure: string | undefined
  /** Workers that died, or had to be ended. */
  readonly workersLost: number
}

export const tryRun = async (plan: Plan): Promise<Tried> => {
  let failure: string | undefined
  const handle = start(plan, {
    onEvent: (event) => {
      if (event.type === "settled" && event.status === "failed") failure ??= `${event.item}: ${event.message}`
    },
  })
  const summary = await handle.result
  return { ...summary, failure, workersLost: handle.stats()?.flow.workersLost ?? 0 }
}

/** Calls with a folder that is removed after it. */
export const inFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await claimTempDir()
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What has not settled after so many milliseconds never will: the machine may be slow, but not so slow. */
const PATIENCE = 30_000

/** @throws {Error} when the promise does not settle in time. */
export const inTime = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => timeout.reject(new Error(`${what}: expected an end within ${PATIENCE / 1000} s, found none`)),
    PATIENCE,
  )
  try {
    return await Promise.race([promise, timeout.promise])
  } finally {
    clearTimeout(timer)
  }
}
