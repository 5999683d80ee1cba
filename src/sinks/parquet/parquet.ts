/**
 * The `parquet` sink: a table as a folder of Parquet files, which Hugging Face's `datasets`, DuckDB, Arrow and Spark
 * read as they are. It has no versions to go back to and no search; for these there is Lance.
 */
import { existsSync } from "node:fs"
import { mkdir, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { TableError } from "../../model/errors.ts"
import type { RunRecord } from "../../model/run.ts"
import { type Reader, Sink, type Writer } from "../../model/sink.ts"
import { createParquet } from "../../parquet/writer.ts"
import { checkFolder, checkTableName, localPath, RUNS_TABLE, sideNames, sideTable } from "../../store/database.ts"
import { acquireLock, type Lock } from "../../store/lock.ts"
import { RUNS_SCHEMA, runBatch } from "../../store/runs.ts"
import { TABLE, URI } from "../fields.ts"
import { recover } from "./change.ts"
import { hasShards } from "./shards.ts"
import { openShardWriter } from "./writer.ts"

export interface ParquetOptions {
  /** Folder of the tables; made when it is not there. The table is a folder in it. */
  readonly uri: string
  readonly table: string
}

/**
 * A table of Parquet files `URI/TABLE/train-000000.parquet`, ..., for a pipeline to write to. Side tables are folders
 * beside it, and each run is a file in `URI/_sluice_runs`.
 *
 * @throws {ConfigError} for a table name that cannot be a folder's, and a uri that is no local folder.
 * @example
 * ```ts
 * await run(filesPlan({ name: "photos", source: files({ include: "./photos" }), sink: parquet({ uri: "./data", table: "photos" }) }))
 * ```
 */
export const parquet = ({ uri, table }: ParquetOptions): Sink => {
  checkTableName(table)
  return {
    name: "parquet",
    uri,
    table,
    folder: localPath(uri),
    view: () => openReader(checkFolder(uri), table),
    open: async ({ create }) => {
      const folder = checkFolder(uri)
      const lock = await acquireLock(folder, table)
      try {
        await recover(join(folder, table))
        if (create === "new" && (await hasShards(join(folder, table)))) {
          throw new TableError(`Table already exists: ${JSON.stringify(table)} in ${uri}`)
        }
        return await openWriter({ folder, lock }, table, true)
      } catch (error) {
        await lock.release()
        throw error
      }
    },
  }
}

interface Place {
  /** Of all tables. */
  readonly folder: string
  readonly lock: Lock
}

const sidesOf = async (folder: string, name: string): Promise<string[]> => {
  const found: string[] = []
  for (const side of existsSync(folder) ? sideNames(await readdir(folder), name) : []) {
    if (await hasShards(join(folder, sideTable(name, side)))) found.push(side)
  }
  return found
}

/** The table as it is now, to look at it. */
const openReader = async (folder: string, name: string): Promise<Reader> => {
  const shards = await openShardWriter(join(folder, name), { check: async () => {}, release: async () => {} })
  return {
    schema: shards.schema,
    version: shards.version,
    read: (columns, filter = {}) => shards.read(columns, filter),
    edge: async (side) => shards.edge(side),
    side: (suffix) => openReader(folder, sideTable(name, suffix)),
    sides: () => sidesOf(folder, name),
    close: async () => {},
  }
}

/** The owner of the lock gives it up; side tables only rely on it. */
const openWriter = async (place: Place, name: string, owner: boolean): Promise<Writer> => {
  const { folder, lock } = place
  const shards = await openShardWriter(join(folder, name), lock)
  const sides = new Map<string, Writer>()
  return {
    get schema() {
      return shards.schema
    },
    get version() {
      return shards.version
    },
    write: async (batch) => shards.write(batch),
    commit: () => shards.store("append"),
    overwrite: () => shards.store("overwrite"),
    remove: (filter) => shards.remove(filter),
    read: (columns, filter = {}) => shards.read(columns, filter),
    edge: async (side) => shards.edge(side),
    side: async (suffix) => {
      const known = sides.get(suffix)
      if (known) return known
      await recover(join(folder, sideTable(name, suffix)))
      const opened = await openWriter(place, sideTable(name, suffix), false)
      sides.set(suffix, opened)
      return opened
    },
    sides: () => sidesOf(folder, name),
    maintain: async () => {
      for (const side of sides.values()) await side.maintain()
      await shards.maintain()
    },
    finish: () => shards.align(),
    logRun: (run) => logRun(folder, run),
    close: async () => {
      for (const side of sides.values()) await side.close()
      if (owner) await lock.release()
    },
  }
}

/** A file for each run, so that the writers of several tables do not get in each other's way. */
const logRun = async (folder: string, run: RunRecord): Promise<void> => {
  const runs = join(folder, RUNS_TABLE)
  const draft = join(runs, `.${run.run}.draft`)
  await mkdir(runs, { recursive: true })
  if (existsSync(draft)) await rm(draft)
  const file = await createParquet(draft, RUNS_SCHEMA)
  try {
    await file.write(runBatch(run))
    await file.close()
  } catch (error) {
    await file.abort()
    throw error
  }
  await rename(draft, join(runs, `${run.run}.parquet`))
}

export const parquetSink = Sink.define({
  type: "parquet",
  description: "A folder of Parquet files, which datasets in Python, DuckDB, Arrow and Spark read as they are.",
  fields: { uri: URI, table: TABLE },
  make: (options) => parquet(options),
})
