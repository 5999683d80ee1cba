/**
 * The columns of all files together, each with one type: settled once, before the first row is read, so that it does
 * not depend on which file comes first.
 */
import { ConfigError, FatalError, IngestError } from "../../model/errors.ts"
import type { Item } from "../../model/item.ts"
import { checkColumnName } from "../../model/rows.ts"
import { type ColumnType, formatType, type Schema, sameType } from "../../model/types.ts"
import { describeTable, type TableColumn } from "../../readers/describe.ts"
import type { TableFile } from "../../readers/file.ts"
import { listTables, type Tables } from "./items.ts"

export interface Survey {
  /** By name in the table. */
  readonly types: Schema
  /** Keys of the JSONL files, as they stand there. */
  readonly keys: readonly string[]
  /** @throws {IngestError} when the file could not be described, or is not the one that was. */
  readonly check: (item: Item) => void
}

/** Name of a column in the table: the store cannot have `.` and backquotes in names. */
export const tableName = (name: string): string => name.replaceAll(/[.`]/g, "_")

/**
 * The names in the table for the columns of a file.
 *
 * @throws {IngestError} when two of them would have one name.
 */
export const tableNames = (names: readonly string[]): ReadonlyMap<string, string> => {
  const taken = new Map<string, string>()
  for (const name of names) {
    const as = tableName(name)
    const other = taken.get(as)
    if (other !== undefined) {
      throw new IngestError(
        `Columns ${JSON.stringify(other)} and ${JSON.stringify(name)} would both be named ${JSON.stringify(as)} ("." and backquotes become "_"). Rename one, or name the columns to take in "columns"`,
      )
    }
    taken.set(as, name)
  }
  return new Map([...taken].map(([as, name]) => [name, as]))
}

/** Numbers, from narrow to wide; a column that is one here and another there becomes the wider one. */
const FLOATS = ["FLOAT32", "FLOAT64"]
const NUMBERS = ["INT32", "INT64", ...FLOATS]

/** The type that holds the values of both without changing them but for rounding to a float; undefined for none. */
const widerOf = (a: ColumnType, b: ColumnType): ColumnType | undefined => {
  if (sameType(a, b)) return a
  if (NUMBERS.includes(a.name) && NUMBERS.includes(b.name)) {
    return { name: FLOATS.includes(a.name) || FLOATS.includes(b.name) ? "FLOAT64" : "INT64" }
  }
  const lists = ["EMBEDDING", "JSON"]
  return lists.includes(a.name) && lists.includes(b.name) ? { name: "JSON" } : undefined
}

interface Settled {
  readonly type: ColumnType
  readonly unknown: boolean
  readonly file: string
}

const settle = (known: Settled | undefined, column: TableColumn, as: string, file: string): Settled => {
  const unknown = column.unknown === true
  if (!known || (known.unknown && !unknown)) return { type: column.type, unknown, file }
  if (unknown) return known
  const type = widerOf(known.type, column.type)
  if (type) return { ...known, type }
  throw new ConfigError(
    `Column ${JSON.stringify(as)} is ${formatType(known.type)} in ${known.file} and ${formatType(column.type)} in ${file}. Give it one type: schema: { ${JSON.stringify(as)}: TEXT }`,
  )
}

const checkAsked = (names: Iterable<string>, what: string, found: Iterable<string>): void => {
  const known = new Set(found)
  for (const name of names) {
    if (known.has(name)) continue
    const columns = [...known].map((column) => JSON.stringify(column)).join(", ")
    throw new ConfigError(`${what}: expected a column of the files (${columns}), found ${JSON.stringify(name)}`)
  }
}

/** What a file says; a text, when it is what is wrong with it. */
const describe = async (file: TableFile, wanted: (name: string) => boolean, types: Schema) => {
  try {
    const description = await describeTable(file, (name) => (wanted(name) ? types.get(tableName(name)) : undefined))
    const columns = description.columns.filter(({ name }) => wanted(name))
    const all = description.columns.map(({ name }) => name)
    return { all, columns, names: tableNames(columns.map(({ name }) => name)) }
  } catch (error) {
    if (error instanceof IngestError) return error.message
    throw error
  }
}

interface Surveyed {
  readonly version: string
  readonly problem?: string
}

/** A file that nobody has looked at may have columns that would be left out without a word. */
const checkFile = (files: ReadonlyMap<string, Surveyed>, { uri, version }: Item): void => {
  const known = files.get(uri)
  if (known?.problem !== undefined) throw new IngestError(known.problem)
  if (known?.version === version) return
  throw new IngestError(
    `${uri}: the file ${known ? "changed" : "appeared"} after the columns of all files were settled; run again to take it as it is now`,
  )
}

/**
 * Describes all files.
 *
 * @param types those that the caller asks for, by name in the table.
 * @param columns names of the columns to take; all, when it is undefined.
 * @throws {FatalError} when a column has different types in two files, or one that is asked for is in none.
 */
export const survey = async (
  tables: Tables,
  types: Schema,
  columns: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Survey> => {
  const wanted = (name: string): boolean => columns?.includes(name) ?? true
  const settled = new Map<string, Settled>()
  const keys = new Set<string>()
  const found = new Set<string>()
  const files = new Map<string, Surveyed>()
  try {
    for await (const { item, file } of listTables(tables, { signal, warn: () => {} })) {
      signal.throwIfAborted()
      if (!file) continue
      const described = await describe(file, wanted, types)
      const problem = typeof described === "string" && { problem: described }
      files.set(file.path, { version: item.version, ...problem })
      if (typeof described === "string") continue
      for (const name of described.all) found.add(name)
      for (const column of described.columns) {
        const as = described.names.get(column.name) ?? column.name
        checkColumnName(as)
        settled.set(as, settle(settled.get(as), column, as, item.id))
        if (file.format === "jsonl") keys.add(column.name)
      }
    }
    if ([...files.values()].every(({ problem }) => problem === undefined)) {
      checkAsked(columns ?? [], "columns", found)
      checkAsked(types.keys(), "schema", settled.keys())
    }
  } catch (error) {
    // What is wrong with the columns is wrong with all items, not with the one that happened to be the first.
    throw error instanceof ConfigError ? new FatalError(error.message, { cause: error }) : error
  }
  return {
    types: new Map([...settled].map(([name, { type }]) => [name, type])),
    keys: [...keys],
    check: (item) => checkFile(files, item),
  }
}
