/** The first rows that a plan would write, and their types. Nothing is written. */
import type { Plan } from "./engine/plan.ts"
import { type Value, valueAt } from "./model/column.ts"
import { ConfigError } from "./model/errors.ts"
import { isHidden } from "./model/rows.ts"
import type { Schema } from "./model/types.ts"
import { start } from "./pipeline.ts"
import { MemoryDatabase, memory } from "./sinks/memory.ts"

export interface PreviewOptions {
  /** Rows at most, from 1. Default 10. */
  readonly limit?: number
  readonly signal?: AbortSignal
}

export interface Preview {
  /** The columns as the first rows have them; later ones may add some. */
  readonly schema: Schema
  readonly rows: readonly Readonly<Record<string, Value>>[]
  /** Items that could not be read on the way there, and why. */
  readonly failed: readonly { readonly item: string; readonly message: string }[]
}

/**
 * Runs the plan until it has so many rows, into memory, and stops it.
 *
 * @throws {ConfigError} when `limit` is no whole number of at least 1.
 * @throws whatever stops a run: a source that cannot be listed, for one.
 * @example
 * ```ts
 * import { files, filesPlan, lance, preview } from "sluice"
 *
 * const plan = filesPlan({ name: "docs", source: files({ include: "./docs" }), sink: lance({ uri: "./data", table: "docs" }) })
 * const { schema, rows } = await preview(plan, { limit: 5 })
 * ```
 */
export const preview = async (plan: Plan, { limit = 10, signal }: PreviewOptions = {}): Promise<Preview> => {
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new ConfigError(`limit: expected a whole number of rows of at least 1, found ${limit}`)
  }
  const database = new MemoryDatabase()
  const { table } = plan.sink
  const failed: { item: string; message: string }[] = []
  const handle = start(
    {
      ...plan,
      sink: memory({ table, database }),
      mode: "append",
      flush: { ...plan.flush, rows: limit },
      commit: { ...plan.commit, rows: limit },
    },
    {
      ...(signal && { signal }),
      onEvent: (event) => {
        if (event.type === "settled" && event.status === "failed") {
          failed.push({ item: event.item, message: event.message })
        }
        // A commit ends early where rows are large.
        if (event.type === "committed" && event.rows >= limit) handle.cancel({ drain: false })
      },
    },
  )
  await handle.result
  const batch = database.rows(table)
  const columns = [...batch.columns].filter(([name]) => !isHidden(name))
  return {
    schema: new Map(columns.map(([name, { type }]) => [name, type])),
    rows: Array.from({ length: Math.min(limit, batch.rows) }, (_, row) =>
      Object.fromEntries(columns.map(([name, column]) => [name, valueAt(column, row)])),
    ),
    failed,
  }
}
