/** A folder of Lance tables: connecting, opening, naming. */
import { existsSync, readdirSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type * as LanceDb from "@lancedb/lancedb"
import { withoutSecrets } from "../model/address-text.ts"
import { ConfigError, messageOf, TableError } from "../model/errors.ts"

export type Connection = LanceDb.Connection
export type Table = LanceDb.Table

let loaded: typeof LanceDb | undefined

/** The store's module: 60 MB of native code that is loaded when a table is first touched. */
export const lancedb = (): typeof LanceDb => {
  loaded ??= createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb
  return loaded
}

/** The local folder that a `uri` names. */
export const localPath = (uri: string): string => {
  if (uri.startsWith("file://")) return fileURLToPath(uri)
  if (/^[a-z][a-z0-9+]+:\/\//i.test(uri)) {
    throw new ConfigError(
      `Expected a local folder as uri, found ${JSON.stringify(withoutSecrets(uri))}; object stores are not supported yet`,
    )
  }
  return resolve(uri)
}

/** Caches of bounded size: with the default ones memory grows with every commit. */
const INDEX_CACHE_BYTES = 64n << 20n
const METADATA_CACHE_BYTES = 16n << 20n

/**
 * The local folder of a `uri`, which may not be there yet.
 *
 * @throws {ConfigError} when it is none, or a file.
 */
export const checkFolder = (uri: string): string => {
  const folder = localPath(uri)
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new ConfigError(`Expected a folder of tables as uri, found the file ${uri}`)
  }
  return folder
}

/**
 * @throws {ConfigError} when `uri` is no local folder.
 * @throws {TableError} when the folder cannot be made.
 */
export const connect = async (uri: string): Promise<Connection> => {
  const { connect: open, Session } = lancedb()
  const folder = checkFolder(uri)
  try {
    return await open(folder, { session: new Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES) })
  } catch (error) {
    // What follows is the same once more.
    const [why] = messageOf(error).split(/ {2}|\n/)
    throw new TableError(`The folder of the database, ${uri}, cannot be opened or made: ${why}`, { cause: error })
  }
}

/** Side tables and Sluice's own are named with this in them, and are not listed unless asked for. */
const SIDE = "__"
export const RUNS_TABLE = "_sluice_runs"

export const sideTable = (table: string, name: string): string => `${table}${SIDE}${name}`

/** The suffixes of a table's side tables, of all tables there are. */
export const sideNames = (names: readonly string[], table: string): string[] => {
  const prefix = sideTable(table, "")
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
}

export const isInternal = (name: string): boolean => name === RUNS_TABLE || name.includes(SIDE)

/** @throws {ConfigError} for a name that cannot be a folder's, or is kept for side tables. */
export const checkTableName = (name: string): void => {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(name) || isInternal(name)) {
    throw new ConfigError(
      `Expected a table name of letters, digits, "_", "-" and "." (at most 128, none of them "__"), found ${JSON.stringify(name)}`,
    )
  }
}

/** Names of all tables, sorted; with `internal`, those that Sluice keeps for itself too. */
export const tableNames = async (db: Connection, internal = false): Promise<string[]> => {
  const names: string[] = []
  let page = await db.listTables()
  for (;;) {
    names.push(...page.tables)
    if (!page.pageToken) break
    page = await db.listTables({ pageToken: page.pageToken })
  }
  return names.filter((name) => internal || !isInternal(name)).sort()
}

export const tableFolder = (folder: string, table: string): string => join(folder, `${table}.lance`)

/** Whether the table in this folder came to its first version; a writer that is killed before leaves a folder without. */
export const hasVersion = (root: string): boolean => {
  const versions = join(root, "_versions")
  return existsSync(versions) && readdirSync(versions).some((name) => name.endsWith(".manifest"))
}

/**
 * Opens a table that is there.
 *
 * @throws {TableError} when it cannot be opened: a file of it is damaged or gone. Nothing is made anew in its place.
 */
export const openExisting = async (db: Connection, name: string): Promise<Table> => {
  try {
    return await db.openTable(name)
  } catch (error) {
    // What follows is where in Lance's sources that was found out.
    const [why] = messageOf(error).split(/, \/|\n/)
    throw new TableError(
      `Table ${JSON.stringify(name)} is damaged: its newest version cannot be opened (${why}). Nothing was changed. Put the folder ${name}.lance back from a copy, or take it away and run again what made it`,
      { cause: error },
    )
  }
}

/** @throws {TableError} when there is no such table; the message lists those there are. */
export const openTable = async (db: Connection, uri: string, name: string): Promise<Table> => {
  const names = await tableNames(db, true)
  if (names.includes(name)) {
    if (hasVersion(tableFolder(localPath(uri), name))) return openExisting(db, name)
    throw new TableError(
      `Table ${JSON.stringify(name)} in ${uri} is empty: its first commit was interrupted. Run again what made it`,
    )
  }
  const visible = names.filter((other) => !isInternal(other))
  throw new TableError(
    `Table ${JSON.stringify(name)} does not exist in ${uri}; ${visible.length > 0 ? `it has ${visible.join(", ")}` : "it has no tables"}`,
  )
}
