/**
 * DuckDB in this process: one instance for all, opened on first use. It has threads of its own, and stopping a worker
 * thread that is inside of it aborts the process (docs/decisions/0002), so it is called from the main thread only.
 */
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isMainThread } from "node:worker_threads"
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import type duckdb from "@duckdb/node-bindings"

export type Bindings = typeof duckdb

/**
 * What it may hold: the pages that it decodes, mostly. A few megabytes in most files; DuckDB's own writer makes pages of
 * up to 128 MiB, and each column takes one of them on each thread. A batch that was handed over is not part of this.
 */
const MEMORY = "1GiB"

interface DuckDb {
  readonly instance: DuckDBInstance
  readonly bindings: Bindings
}

let opening: Promise<DuckDb> | undefined

const open = async (): Promise<DuckDb> => {
  if (!isMainThread) throw new Error("DuckDB is called from the main thread only: route the item to the lane main")
  const [{ DuckDBInstance: Instance }, { default: bindings }] = await Promise.all([
    import("@duckdb/node-api"),
    import("@duckdb/node-bindings"),
  ])
  const instance = await Instance.create(":memory:", {
    // Nothing is fetched from the network behind the user's back.
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    memory_limit: MEMORY,
    // Every byte of a file is read once: the cache would only fill the memory, up to the limit. And now and then it
    // took what it had kept of a file for the content of a new one in its place ("ZSTD Decompression failure", once in
    // some fifty runs of the parquet sink, which names shards anew; in 380 runs without it never).
    enable_external_file_cache: "false",
    preserve_insertion_order: "true",
    // Made only when something has to be spilled.
    temp_directory: join(tmpdir(), `sluice-duckdb-${process.pid}`),
  })
  const connection = await instance.connect()
  // Times with a zone come out the same on every machine.
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  connection.closeSync()
  return { instance, bindings }
}

const duckDb = (): Promise<DuckDb> => {
  opening ??= open()
  return opening
}

export const loadBindings = async (): Promise<Bindings> => (await duckDb()).bindings

/** Runs `use` with a connection of its own, which is closed afterwards, whatever happens. */
export const withConnection = async <T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
  const connection = await connect()
  try {
    return await use(connection)
  } finally {
    connection.closeSync()
  }
}

/** A connection; close it with `closeSync`. */
export const connect = async (): Promise<DuckDBConnection> => (await duckDb()).instance.connect()

/**
 * From so many columns on, looking for what their expressions have in common takes longer than it saves, and soon than
 * all else: one row of 1,000 columns took 4 s, of 2,000 35 s.
 */
const WIDE = 300

/** Has a query over so many columns planned. The setting is the instance's: others that are planned meanwhile share it. */
export const planned = async <T>(columns: number, plan: () => Promise<T>): Promise<T> => {
  if (columns < WIDE) return plan()
  const set = (sql: string) => withConnection((connection) => connection.run(sql))
  await set("SET disabled_optimizers = 'common_subexpressions'")
  try {
    return await plan()
  } finally {
    await set("RESET disabled_optimizers")
  }
}

/** `name` as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** `text` as an SQL string. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A path as DuckDB takes it literally: it would read `*`, `?` and `[` as a glob. */
export const literalPath = (path: string): string => literal(path.replaceAll(/[*?[]/g, "[$&]"))
