/**
 * The default sink: a Lance table in a local folder.
 *
 * One commit is one `add`, so it is atomic; nothing is ever merged in place. Lance is only called from here on the main
 * thread: terminating a thread inside one of its calls would abort the process.
 */
import { type Batch, schemaOf } from "../model/batch.ts"
import { FatalError, isFatal, TableError } from "../model/errors.ts"
import { type Needs, Sink, type Version, type Writer } from "../model/sink.ts"
import type { Schema } from "../model/types.ts"
import { fromSchema, toField, toTable } from "../store/arrow.ts"
import {
  type Connection,
  checkTableName,
  connect,
  localPath,
  openExisting,
  sideNames,
  sideTable,
  type Table,
  tableFolder,
  tableNames,
} from "../store/database.ts"
import { forgetMark, openDurable, recover, type Synchronize } from "../store/durable.ts"
import { toSql } from "../store/filter.ts"
import { updateIndexes } from "../store/indexes.ts"
import { acquireLock, type Lock } from "../store/lock.ts"
import { edgeOf, openReader, readCommitted } from "../store/reader.ts"
import { finishRestore } from "../store/restore.ts"
import { recordRun } from "../store/runs.ts"
import { sweep } from "../store/sweep.ts"
import { compact, isDue, LEAN_FILES, tidy } from "../store/upkeep.ts"
import { TABLE, URI } from "./fields.ts"

/** After so many commits more it is looked at again whether small files are to be put together. */
const LOOK_EVERY = 64

export interface LanceOptions<Name extends string = string> {
  /** Folder of the database; made when it is not there. */
  readonly uri: string
  readonly table: string
  /** Columns that get the index of their type after the last commit: TEXT one for BM25, numbers a tree or bitmaps. */
  readonly index?: readonly Name[]
  /**
   * - `process` (default): a commit survives whatever happens to the process
   * - `fsync`: it survives a loss of power, too, for 4 to 25 ms a commit
   */
  readonly durability?: Durability
}

export type Durability = "process" | "fsync"

/**
 * A table in a folder of Lance tables.
 *
 * @throws {ConfigError} for a table name that cannot be a folder's, and a uri that is no local folder.
 */
export const lance = <const Name extends string = never>(options: LanceOptions<Name>): Sink & Needs<Name> => {
  checkTableName(options.table)
  const folder = localPath(options.uri)
  return {
    name: "lance",
    uri: options.uri,
    table: options.table,
    needs: options.index ?? [],
    folder,
    view: () => openReader(options.uri, options.table),
    open: async ({ create }) => {
      const db = await connect(options.uri)
      let lock: Lock | undefined
      try {
        lock = await acquireLock(folder, options.table)
        const recovered = await recover(folder, options.table)
        const restored = await finishRestore(db, folder, options.table)
        await sweep(folder, options.table)
        if (create === "new" && (await tableNames(db, true)).includes(options.table)) {
          throw new TableError(
            `Table already exists: ${JSON.stringify(options.table)} in ${options.uri}. Drop it first, take another name, or another mode: append adds to it, replace starts over`,
          )
        }
        const place = {
          db,
          folder,
          lock,
          index: options.index ?? [],
          main: options.table,
          durable: options.durability === "fsync",
        }
        return await openWriter(place, options.table, {
          notices: [recovered, restored].filter((notice) => notice !== undefined),
        })
      } catch (error) {
        db.close()
        await lock?.release()
        throw error
      }
    },
  }
}

interface Place {
  readonly db: Connection
  readonly folder: string
  readonly lock: Lock
  readonly index: readonly string[]
  /** The table that is written; this one, or the one that it is a side table of. */
  readonly main: string
  readonly durable: boolean
}

/** The main table owns the connection and the lock, and closes them; side tables only use them. */
const openWriter = async (
  place: Place,
  name: string,
  main?: { readonly notices: readonly string[] },
): Promise<Writer> => {
  const { db, folder, lock, index, durable } = place
  let table: Table | undefined = (await tableNames(db, true)).includes(name) ? await openExisting(db, name) : undefined
  let schema: Schema = table ? fromSchema(await table.schema()) : new Map()
  let version: Version = table ? await table.version() : 0
  let pending: Batch[] = []
  let smallFiles = table ? (await table.stats()).fragmentStats.numSmallFragments : 0
  let nextLook = LEAN_FILES
  const sides = new Map<string, Writer>()
  if (!durable) await forgetMark(folder, name)
  const synchronize: Synchronize = durable ? await openDurable(folder, name, version) : async () => {}

  const addNewColumns = async (target: Table, next: Schema): Promise<void> => {
    const added = [...next].filter(([column]) => !schema.has(column))
    if (added.length > 0) await target.addColumns(added.map(([column, type]) => toField(column, type)))
  }

  const store = async (mode: "append" | "overwrite"): Promise<Version> => {
    if (pending.length === 0) return version
    const batches = pending
    pending = []
    await lock.check()
    const base: Schema = mode === "append" ? schema : new Map()
    const next: Schema = new Map([...base, ...batches.flatMap((batch) => [...schemaOf(batch)])])
    const rows = toTable(next, batches)
    try {
      if (!table) {
        table = await db.createTable(name, rows, { storageOptions: { newTableEnableStableRowIds: "true" } })
        version = await table.version()
      } else {
        if (mode === "append") await addNewColumns(table, next)
        version = (await table.add(rows, { mode })).version
      }
    } catch (error) {
      if (!isFatal(error)) throw error
      throw new FatalError(
        `The disk of ${folder} is full; table ${JSON.stringify(name)} stands at its last commit (version ${version}). Make room and run again`,
        { cause: error },
      )
    }
    await synchronize(version)
    schema = next
    smallFiles++
    return version
  }

  const writer: Writer = {
    notices: main?.notices ?? [],
    get schema() {
      return schema
    },
    get version() {
      return version
    },
    write: async (batch) => {
      if (batch.rows > 0) pending.push(batch)
    },
    commit: () => store("append"),
    overwrite: () => store("overwrite"),
    remove: async (filter) => {
      if (!table) return
      await lock.check()
      await table.delete(toSql(filter) ?? "true")
      version = await table.version()
      await synchronize(version)
    },
    read: (columns, filter = {}) => readCommitted(table, columns, filter),
    edge: (side) => edgeOf(table, side),
    side: async (suffix) => {
      const known = sides.get(suffix)
      if (known) return known
      await recover(folder, sideTable(name, suffix))
      await sweep(folder, sideTable(name, suffix))
      const opened = await openWriter({ ...place, index: [] }, sideTable(name, suffix))
      sides.set(suffix, opened)
      return opened
    },
    sides: async () => sideNames(await tableNames(db, true), name),
    maintain: async () => {
      for (const side of sides.values()) await side.maintain()
      if (!table || smallFiles < nextLook) return
      nextLook = smallFiles + LOOK_EVERY
      if (!(await isDue(tableFolder(folder, name), table, schema, smallFiles))) return
      await lock.check()
      if (durable) {
        // What is put together has to be on the disk before what it was made of goes.
        await compact(table)
        await synchronize(await table.version())
      }
      await tidy(db, folder, place.main, table)
      smallFiles = 0
      nextLook = LEAN_FILES
      version = await table.version()
      await synchronize(version)
    },
    finish: async () => {
      if (!table) return
      await lock.check()
      await updateIndexes(table, schema, index)
      version = await table.version()
      await synchronize(version)
    },
    logRun: (run) => recordRun(db, folder, run, durable),
    close: async () => {
      for (const side of sides.values()) await side.close()
      table?.close()
      if (!main) return
      db.close()
      await lock.release()
    },
  }
  return writer
}

export const lanceSink = Sink.define({
  type: "lance",
  description: "A Lance table in a local folder.",
  indexes: true,
  fields: {
    uri: URI,
    table: TABLE,
    durability: {
      type: "choice",
      choices: ["process", "fsync"],
      default: "process",
      description: "A commit survives the end of the process (`process`), or a loss of power, too (`fsync`).",
    },
  },
  make: ({ uri, table, durability }, { index }) => lance({ uri, table, index, durability }),
})
