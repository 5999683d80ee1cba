/** Views that are kept by name: a query, and the version that it was made over. */
import { existsSync } from "node:fs"
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ConfigError, TableError } from "../../model/errors.ts"
import { checkTableName, localPath } from "../../store/database.ts"
import { stateFolder } from "../../store/lock.ts"
import type { At } from "../open.ts"
import { type Dataset, openTable } from "../training/index.ts"
import { deleteTag, tagVersion } from "./tag.ts"

export interface SavedView {
  readonly name: string
  /** As it was given. */
  readonly query: string
  readonly version: number
}

const SUFFIX = ".json"
const viewsFolder = (folder: string, table: string): string => join(stateFolder(folder), `${table}.views`)
const tagOf = (view: string): string => `view-${view}`

const pathOf = (uri: string, table: string, view: string): string => {
  checkTableName(table)
  if (!/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}$/.test(view)) {
    throw new ConfigError(
      `Expected the name of a view, of letters, digits, "_", "-" and ".", found ${JSON.stringify(view)}`,
    )
  }
  return join(viewsFolder(localPath(uri), table), `${view}${SUFFIX}`)
}

/**
 * Keeps a view by a name: the query and the version, which is tagged `view-<name>` so that it is not cleaned up. A view of
 * that name is replaced.
 *
 * @returns how many rows it has.
 * @throws {TableError} when there is no such table or version, or the query makes no view.
 * @throws {ConfigError} for a name that is none.
 * @example
 * ```ts
 * await saveView("./data", "frames", "easy", "SELECT state, action WHERE episode_index < 100")
 * const easy = await loadView("./data", "frames", "easy")
 * ```
 */
export const saveView = async (
  uri: string,
  table: string,
  view: string,
  query: string,
  { at }: { readonly at?: At } = {},
): Promise<number> => {
  const path = pathOf(uri, table, view)
  await using dataset = await openTable(uri, table, at === undefined ? {} : { at })
  const { length } = await dataset.query(query)
  // A tag without a view does no harm; a view without one could lose its rows.
  await tagVersion(uri, table, tagOf(view), { at: dataset.version, move: true })
  await mkdir(viewsFolder(localPath(uri), table), { recursive: true })
  const saved: SavedView = { name: view, query, version: dataset.version }
  await writeFile(`${path}.tmp`, JSON.stringify(saved), { flush: true })
  await rename(`${path}.tmp`, path)
  return length
}

/** The views of a table, by their names. */
export const listViews = async (uri: string, table: string): Promise<SavedView[]> => {
  const folder = viewsFolder(localPath(uri), table)
  if (!existsSync(folder)) return []
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX)).sort()
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), "utf8")) as SavedView))
}

const findView = async (uri: string, table: string, view: string): Promise<SavedView> => {
  const path = pathOf(uri, table, view)
  if (existsSync(path)) return JSON.parse(await readFile(path, "utf8")) as SavedView
  const there = (await listViews(uri, table)).map(({ name }) => name).join(", ")
  throw new TableError(
    `Table ${JSON.stringify(table)} has no view ${JSON.stringify(view)}; it has ${there === "" ? "none" : there}`,
  )
}

/**
 * Opens a view that was kept: the same rows as then, whatever has become of the table since. Close it when it is no
 * longer needed.
 *
 * @throws {TableError} when there is no such view.
 */
export const loadView = async (uri: string, table: string, view: string): Promise<Dataset> => {
  const { query, version } = await findView(uri, table, view)
  const dataset = await openTable(uri, table, { at: version })
  try {
    const loaded = await dataset.query(query)
    return { ...loaded, close: () => dataset.close(), [Symbol.asyncDispose]: () => dataset.close() }
  } catch (error) {
    await dataset.close()
    throw error
  }
}

/**
 * Forgets a view, and that its version is to be kept. The rows stay.
 *
 * @throws {TableError} when there is no such view.
 */
export const deleteView = async (uri: string, table: string, view: string): Promise<void> => {
  const { name } = await findView(uri, table, view)
  await rm(pathOf(uri, table, name))
  await deleteTag(uri, table, tagOf(name))
}

/** A table that is dropped has no views any more. */
export const forgetViews = (folder: string, table: string): Promise<void> =>
  rm(viewsFolder(folder, table), { recursive: true, force: true })
