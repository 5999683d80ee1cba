/**
 * Tables as files of JavaScript values, a file a table. It shows all that a sink has to do, and writes a table anew at
 * each commit: put what you write to in the place of `load` and `save`.
 */
import { existsSync } from "node:fs"
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { deserialize, serialize } from "node:v8"
import {
  type Batch,
  matchingRows,
  otherRows,
  type RowFilter,
  type Schema,
  Sink,
  schemaOf,
  TableError,
  type Version,
  valueAt,
  type Writer,
} from "sluice"

export interface ExampleThingOptions {
  /** Folder of the tables; made when it is not there. */
  readonly folder: string
  readonly table: string
}

interface Table {
  readonly version: Version
  readonly schema: Schema
  readonly batches: readonly Batch[]
}

const EMPTY: Table = { version: 0, schema: new Map(), batches: [] }

const load = async (path: string): Promise<Table> => (existsSync(path) ? deserialize(await readFile(path)) : EMPTY)

/** The old file or the new one: a kill leaves nothing between. */
const save = async (path: string, table: Table): Promise<void> => {
  await writeFile(`${path}.tmp`, serialize(table))
  await rename(`${path}.tmp`, path)
}

const pick = ({ rows, columns }: Batch, names: readonly string[]): Batch => ({
  rows,
  columns: new Map([...columns].filter(([name]) => names.includes(name))),
})

const commitsOf = ({ batches }: Table): number[] =>
  batches.flatMap((batch) => {
    const column = batch.columns.get("_commit")
    return column ? Array.from({ length: batch.rows }, (_, row) => Number(valueAt(column, row))) : []
  })

/** @param unlock called at the end; side tables have none of their own. */
const openTable = async (folder: string, name: string, unlock: () => Promise<void>): Promise<Writer> => {
  const path = join(folder, `${name}.table`)
  let table = await load(path)
  let pending: Batch[] = []

  const store = async (base: Table): Promise<Version> => {
    if (pending.length === 0) return table.version
    const schema = new Map([...base.schema, ...pending.flatMap((batch) => [...schemaOf(batch)])])
    const next = { version: table.version + 1, schema, batches: [...base.batches, ...pending] }
    await mkdir(folder, { recursive: true })
    await save(path, next)
    table = next
    pending = []
    return table.version
  }

  return {
    get schema() {
      return table.schema
    },
    get version() {
      return table.version
    },
    write: async (batch) => {
      if (batch.rows > 0) pending.push(batch)
    },
    commit: () => store(table),
    overwrite: () => store(EMPTY),
    remove: async (filter) => {
      const batches = table.batches.flatMap((batch) => otherRows(batch, filter))
      const next = { ...table, version: table.version + 1, batches }
      if (table.batches.length > 0) await save(path, next)
      table = next
    },
    read: async function* (names, filter: RowFilter = {}) {
      for (const batch of table.batches) for (const part of matchingRows(batch, filter)) yield pick(part, names)
    },
    edge: async (side) => {
      const commits = commitsOf(table)
      return commits.reduce((a, b) => (side === "first" ? Math.min(a, b) : Math.max(a, b)), commits[0] ?? 0)
    },
    side: (suffix) => openTable(folder, `${name}__${suffix}`, async () => {}),
    sides: async () => {
      const files = existsSync(folder) ? await readdir(folder) : []
      const begin = `${name}__`
      return files.flatMap((file) =>
        file.startsWith(begin) && file.endsWith(".table") ? [file.slice(begin.length, -6)] : [],
      )
    },
    maintain: async () => {},
    finish: async () => {},
    logRun: async (run) => {
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, `run-${run.run}.json`), JSON.stringify(run))
    },
    close: unlock,
  }
}

/** @throws {TableError} when there is a lock already. A process that was killed leaves its own: remove that by hand. */
const lock = async (folder: string, name: string): Promise<() => Promise<void>> => {
  const path = join(folder, `${name}.lock`)
  await mkdir(folder, { recursive: true })
  try {
    await (await open(path, "wx")).close()
  } catch (cause) {
    throw new TableError(`Table ${JSON.stringify(name)} is being written by another run; if not, remove ${path}`, {
      cause,
    })
  }
  return () => rm(path, { force: true })
}

export const exampleThing = ({ folder, table }: ExampleThingOptions): Sink => ({
  name: "example_thing",
  uri: resolve(folder),
  table,
  open: async ({ create }) => {
    if (create === "new" && existsSync(join(folder, `${table}.table`))) {
      throw new TableError(`Table already exists: ${JSON.stringify(table)}`)
    }
    return openTable(folder, table, await lock(folder, table))
  },
  view: () => openTable(folder, table, async () => {}),
})

export const exampleThingSink = Sink.define({
  type: "example_thing",
  description: "Tables as files of JavaScript values, a file a table.",
  fields: {
    folder: { type: "text", default: "./tables", description: "Folder of the tables; made when it is not there." },
    table: { type: "text", description: "Name of the table." },
  },
  make: exampleThing,
})
