/**
 * The engine for what the store cannot do: DuckDB, in memory, and without a way to files and networks. One instance for
 * all queries, opened on first use: that takes a twentieth of a second. Each query has a connection of its own, and
 * tables that nobody else sees.
 */
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isMainThread } from "node:worker_threads"
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import type duckdb from "@duckdb/node-bindings"

export type Api = typeof import("@duckdb/node-api")
export type Bindings = typeof duckdb

/** What all queries together may hold; beyond it, tables and sorting go to files. */
const MEMORY = "512MiB"

export interface Engine {
  readonly connection: DuckDBConnection
  readonly api: Api
  readonly bindings: Bindings
}

interface Opened {
  readonly instance: DuckDBInstance
  readonly api: Api
  readonly bindings: Bindings
  /** Made by DuckDB when something has to be spilled. */
  readonly folder: string
}

let opening: Promise<Opened> | undefined
let users = 0

const open = async (): Promise<Opened> => {
  if (!isMainThread) throw new Error("Queries are run on the main thread only")
  const [api, { default: bindings }] = await Promise.all([import("@duckdb/node-api"), import("@duckdb/node-bindings")])
  const folder = join(tmpdir(), `sluice-query-${process.pid}-${randomUUID().slice(0, 8)}`)
  const instance = await api.DuckDBInstance.create(":memory:", {
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    memory_limit: MEMORY,
    temp_directory: folder,
    // After the folder: later it could not be set.
    enable_external_access: "false",
    // What makes it equal to PostgreSQL.
    integer_division: "true",
    default_null_order: "nulls_last_on_asc_first_on_desc",
    // They tell where in the query something is wrong.
    errors_as_json: "true",
  })
  const connection = await instance.connect()
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  await connection.run("SET GLOBAL lock_configuration = true")
  connection.closeSync()
  return { instance, api, bindings, folder }
}

/** What was spilled is gone when nobody uses it any more. */
const clear = async ({ instance, folder }: Opened): Promise<void> => {
  if (users > 0 || !existsSync(folder)) return
  opening = undefined
  instance.closeSync()
  await rm(folder, { recursive: true, force: true })
}

/** Milliseconds from one interrupt to the next. */
const INTERRUPT_EVERY = 20

/**
 * Runs `use` with a connection, which is closed afterwards with all its tables. An abort interrupts what runs on it.
 *
 * @throws the signal's reason when it is aborted.
 */
export const withEngine = async function* <T>(
  signal: AbortSignal,
  use: (engine: Engine) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  opening ??= open().catch((error: unknown) => {
    opening = undefined
    throw error
  })
  const own = opening
  users++
  let connection: DuckDBConnection | undefined
  let interrupting: NodeJS.Timeout | undefined
  // DuckDB forgets an interrupt when it begins with a statement, so one that comes right before would be lost.
  const interrupt = (): void => {
    connection?.interrupt()
    interrupting ??= setInterval(() => connection?.interrupt(), INTERRUPT_EVERY)
  }
  signal.addEventListener("abort", interrupt)
  try {
    const { instance, api, bindings } = await own
    connection = await instance.connect()
    signal.throwIfAborted()
    yield* use({ connection, api, bindings })
  } catch (error) {
    // Whatever it was that the interrupt has met.
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener("abort", interrupt)
    clearInterval(interrupting)
    connection?.closeSync()
    users--
    if (opening === own) await clear(await own)
  }
}
