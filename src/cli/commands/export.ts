/** `sluice export T OUT.parquet`, `sluice export T FOLDER --column C` */
import { exportColumn } from "../../dataset/export.ts"
import { exportParquet } from "../../dataset/parquet.ts"
import { ConfigError } from "../../model/errors.ts"
import { formatBytes } from "../../model/units.ts"
import { formatCount } from "../../observe/progress-text.ts"
import { say } from "../console.ts"

interface ExportOptions {
  readonly uri: string
  readonly at?: string
  /** Into a folder. */
  readonly column?: string
  /** Into a Parquet file. */
  readonly columns?: readonly string[]
  readonly where?: string
  readonly overwrite?: boolean
}

const files = async (table: string, folder: string, uri: string, column: string, at?: string): Promise<void> => {
  const { files, skipped, bytes } = await exportColumn(uri, table, column, folder, at === undefined ? {} : { at })
  const without = skipped === 0 ? "" : `; ${skipped} rows have no value in ${column}`
  say(`exported ${files} files (${formatBytes(bytes)}) to ${folder}${without}`)
}

export const exportCommand = async (
  table: string,
  target: string,
  { uri, column, at, ...options }: ExportOptions,
): Promise<void> => {
  const [other] = Object.keys(options)
  if (column !== undefined) {
    if (other !== undefined) throw new ConfigError(`--${other} is for Parquet files; leave it out, or --column`)
    return files(table, target, uri, column, at)
  }
  if (!target.endsWith(".parquet")) {
    throw new ConfigError(
      `Expected a file that ends in .parquet, found ${JSON.stringify(target)}; to write the values of one column as files into a folder, name it with --column`,
    )
  }
  const { rows, bytes } = await exportParquet(uri, table, target, { ...options, ...(at !== undefined && { at }) })
  say(`exported ${formatCount(rows)} rows (${formatBytes(bytes)}) to ${target}`)
}
