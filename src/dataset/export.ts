/** Writing the contents of a column as files. */
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { ConfigError, IngestError, TableError } from "../model/errors.ts"
import { type ColumnType, formatType, layoutOf } from "../model/types.ts"
import { extensionOf, safeName, uniqueNames } from "./filename.ts"
import { type At, checkColumns, checkCount, withTableAt } from "./open.ts"
import { rowsOf } from "./scan.ts"

export interface ExportOptions {
  /** At most so many files. */
  readonly limit?: number
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

export interface ExportResult {
  readonly files: number
  /** Rows without a value. */
  readonly skipped: number
  readonly bytes: number
}

const contents = async (
  type: ColumnType,
  value: unknown,
): Promise<{ readonly bytes: Uint8Array; readonly extension: string }> => {
  if (value instanceof Uint8Array) return { bytes: value, extension: await extensionOf(type.name, value) }
  return { bytes: Buffer.from(String(value)), extension: type.name === "JSON" ? "json" : "txt" }
}

/** Nothing that is there already is written over, and nothing half written stays. */
const writeNew = async (path: string, bytes: Uint8Array): Promise<void> => {
  try {
    await writeFile(path, bytes, { flag: "wx" })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new IngestError(`${path} exists already; export into an empty folder`, { cause: error })
    }
    await rm(path, { force: true })
    throw error
  }
}

/**
 * Writes each row's value of one column to a file `<item>-<row>.<ext>` in `dir`, which is made when it is not there.
 * Slashes and other characters of the item that a file name should not have become `_`; where two names come out the
 * same, the later one gets a number. The extension is told from the content: `.txt` for TEXT, `.json` for JSON.
 *
 * @throws {TableError} for a table or column that is not there.
 * @throws {ConfigError} for a column that holds neither bytes nor text.
 * @throws {IngestError} for a file that exists already.
 */
export const exportColumn = (
  uri: string,
  name: string,
  column: string,
  dir: string,
  options: ExportOptions = {},
): Promise<ExportResult> =>
  withTableAt(uri, name, options.at, async (open) => {
    checkCount("limit", options.limit, 1)
    checkColumns(open, [column])
    const { table, schema } = open
    const type = schema.get(column)
    if (!type || (layoutOf(type) !== "bytes" && layoutOf(type) !== "utf8")) {
      throw new ConfigError(
        `Column ${JSON.stringify(column)} is ${type ? formatType(type) : "missing"}: expected one of bytes or text to export as files`,
      )
    }
    if (!schema.has("_item") || !schema.has("_row")) {
      throw new TableError(`Table ${JSON.stringify(name)} was not written by Sluice: its rows do not name their items`)
    }
    await mkdir(dir, { recursive: true })
    const nameOf = uniqueNames()
    let files = 0
    let skipped = 0
    let bytes = 0
    for await (const row of rowsOf(table, schema, table.query(), ["_item", "_row", column])) {
      const value = row[column] ?? null
      if (value === null) {
        skipped++
        continue
      }
      const content = await contents(type, value)
      const stem = `${safeName(String(row._item))}-${row._row}`
      await writeNew(join(dir, nameOf(stem, content.extension)), content.bytes)
      files++
      bytes += content.bytes.length
      if (files === options.limit) break
    }
    return { files, skipped, bytes }
  })
