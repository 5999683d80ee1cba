/** A sink that keeps its tables in memory: for tests, and for trying a pipeline without writing anything. */
import { type Batch, concatBatches, schemaOf } from "../model/batch.ts"
import type { Column } from "../model/column.ts"
import { TableError } from "../model/errors.ts"
import { commitOf, matchingRows, otherRows } from "../model/row-filter.ts"
import type { RunRecord } from "../model/run.ts"
import { Sink, type Version, type Writer } from "../model/sink.ts"
import type { Schema } from "../model/types.ts"
import { TABLE } from "./fields.ts"

interface MemoryTable {
  batches: Batch[]
  schema: Schema
  version: Version
}

/** Tables by name. Hand the same object to several runs and they see one another's commits. */
export class MemoryDatabase {
  readonly #tables = new Map<string, MemoryTable>()
  readonly #open = new Set<string>()
  /** The runs into any of the tables, by their id. */
  readonly runs = new Map<string, RunRecord>()

  /** The committed rows of a table, as one batch. */
  rows(name: string): Batch {
    return concatBatches(this.#tables.get(name)?.batches ?? [])
  }

  has(name: string): boolean {
    return this.#tables.has(name)
  }

  sides(name: string): string[] {
    return [...this.#tables.keys()].flatMap((other) =>
      other.startsWith(`${name}__`) ? [other.slice(name.length + 2)] : [],
    )
  }

  table(name: string): MemoryTable {
    const known = this.#tables.get(name)
    if (known) return known
    const created: MemoryTable = { batches: [], schema: new Map(), version: 0 }
    this.#tables.set(name, created)
    return created
  }

  lock(name: string): () => void {
    if (this.#open.has(name)) throw new TableError(`Table ${JSON.stringify(name)} is being written by another run`)
    this.#open.add(name)
    return () => this.#open.delete(name)
  }
}

export const memory = (options: { readonly table: string; readonly database?: MemoryDatabase }): Sink => {
  const database = options.database ?? new MemoryDatabase()
  return {
    name: "memory",
    uri: "memory:",
    table: options.table,
    open: async ({ create }) => {
      if (create === "new" && database.has(options.table)) {
        throw new TableError(`Table already exists: ${JSON.stringify(options.table)}`)
      }
      const unlock = database.lock(options.table)
      return openWriter(database, options.table, unlock)
    },
    view: async () => openWriter(database, options.table, () => {}),
  }
}

const openWriter = (database: MemoryDatabase, name: string, unlock: () => void): Writer => {
  let pending: Batch[] = []
  const existing = (): MemoryTable | undefined => (database.has(name) ? database.table(name) : undefined)

  const store = (base: readonly Batch[], schema: Schema): Version => {
    if (pending.length === 0) return existing()?.version ?? 0
    const table = database.table(name)
    table.batches = [...base, ...pending]
    table.schema = new Map([...schema, ...pending.flatMap((batch) => [...schemaOf(batch)])])
    pending = []
    return ++table.version
  }

  return {
    get schema() {
      return existing()?.schema ?? new Map()
    },
    get version() {
      return existing()?.version ?? 0
    },
    write: async (batch) => {
      if (batch.rows > 0) pending.push(batch)
    },
    commit: async () => store(existing()?.batches ?? [], existing()?.schema ?? new Map()),
    overwrite: async () => store([], new Map()),
    remove: async (filter) => {
      const table = existing()
      if (!table) return
      table.batches = table.batches.flatMap((batch) => otherRows(batch, filter))
      table.version++
    },
    read: async function* (columns, filter = {}) {
      for (const batch of existing()?.batches ?? []) {
        for (const { rows, columns: all } of matchingRows(batch, filter)) {
          const picked = columns.flatMap((column): [string, Column][] => {
            const values = all.get(column)
            return values ? [[column, values]] : []
          })
          yield { rows, columns: new Map(picked) }
        }
      }
    },
    edge: async (side) => {
      const commits = (existing()?.batches ?? []).flatMap((batch) =>
        Array.from({ length: batch.rows }, (_, row) => commitOf(batch, row)),
      )
      return commits.length === 0 ? 0 : commits.reduce((a, b) => (side === "first" ? Math.min(a, b) : Math.max(a, b)))
    },
    side: async (suffix) => openWriter(database, `${name}__${suffix}`, () => {}),
    sides: async () => database.sides(name),
    maintain: async () => {},
    finish: async () => {},
    logRun: async (run) => {
      database.runs.set(run.run, run)
    },
    close: async () => unlock(),
  }
}

export const memorySink = Sink.define({
  type: "memory",
  description: "Keeps the rows in memory, for trying a pipeline out: nothing is written.",
  fields: { table: TABLE },
  make: ({ table }) => memory({ table }),
})
