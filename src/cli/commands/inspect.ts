/** `sluice inspect T` */
import { inspectTable, type TableInfo } from "../../dataset/inspect.ts"
import { readRows } from "../../dataset/rows.ts"
import { formatBytes } from "../../model/units.ts"
import { escapeText } from "../../observe/escape.ts"
import { formatCount } from "../../observe/progress-text.ts"
import { sideTable } from "../../store/database.ts"
import type { Format } from "../arguments.ts"
import { print } from "../console.ts"
import { formatTable, printJson, printRows, type Row } from "../output.ts"

/** So many records of items that failed, or are not whole, are shown. */
const RECORDS_SHOWN = 20
const RECORD_COLUMNS = ["_item", "_version", "status", "stage", "error", "attempts", "run"]

/** The table of items that belongs to a table, or is it: without any good item there is no other. */
const itemsTable = (table: string): string =>
  table.endsWith(sideTable("", "items")) ? table : sideTable(table, "items")

/** Why items have no rows or not all of them; the ones recorded first. */
const recordsOf = async (uri: string, { table, items, rows }: TableInfo): Promise<readonly [Row[], number]> => {
  const name = itemsTable(table)
  const total = name === table ? rows : items.failed + items.partial + items.empty
  const records: Row[] = []
  if (total === 0) return [records, total]
  for await (const row of readRows(uri, name, { columns: RECORD_COLUMNS, limit: RECORDS_SHOWN })) records.push(row)
  return [records, total]
}

const facts = (info: TableInfo): string => {
  const { items } = info
  const indexes = info.indexes.map(
    ({ column, type, unindexedRows }) =>
      `${column} (${type}${unindexedRows > 0 ? `, ${unindexedRows} rows behind` : ""})`,
  )
  const states = [`${formatCount(items.done)} done`]
  if (items.partial > 0) states.push(`${formatCount(items.partial)} of them not whole`)
  if (items.failed > 0) states.push(`${formatCount(items.failed)} failed`)
  if (items.empty > 0) states.push(`${formatCount(items.empty)} empty`)
  return [
    `table       ${info.table} in ${info.uri}`,
    `version     ${info.version}`,
    `rows        ${formatCount(info.rows)}`,
    `size        ${formatBytes(info.bytes)}`,
    ...(info.hidden.some(({ name }) => name === "_end") ? [`items       ${states.join(", ")}`] : []),
    `indexes     ${indexes.join(", ") || "none"}`,
    `thumbnails  ${formatCount(info.thumbnails)}`,
  ]
    .map(escapeText)
    .join("\n")
}

export const inspectCommand = async (
  table: string,
  { uri, format }: { readonly uri: string; readonly format: Format },
): Promise<void> => {
  const info = await inspectTable(uri, table)
  const [records, total] = await recordsOf(uri, info)
  const columns = info.columns.map(({ name, type, names }) => ({ name, type, classes: names?.join(", ") ?? "" }))
  if (format === "json") return printJson({ ...info, records })
  if (format === "csv") return printRows("csv", ["name", "type"], columns)
  const shown = columns.some(({ classes }) => classes !== "") ? ["name", "type", "classes"] : ["name", "type"]
  print(`${facts(info)}\n\n${formatTable(shown, columns)}`)
  if (records.length === 0) return
  const reasons = records.map(({ _item, status, stage, error }) => `${_item}: ${status} (${stage}): ${error}`)
  print(`\n${reasons.map(escapeText).join("\n")}`)
  const more = total - records.length
  if (more > 0) print(`... and ${formatCount(more)} more in ${itemsTable(table)}`)
}
