/** `sluice inspect T` */
import { inspectTable, type TableInfo } from "../../dataset/inspect.ts"
import { type BytesInfo, isBytesInfo, type PeekRow, peekRows } from "../../dataset/peek.ts"
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
  const { items, versions } = info
  const indexes = info.indexes.map(({ column, type, indexedRows, unindexedRows }) => {
    const behind = `${formatCount(indexedRows)} of ${formatCount(indexedRows + unindexedRows)} rows, the others one by one`
    return `${column} (${type}, ${unindexedRows > 0 ? behind : `all ${formatCount(indexedRows)} rows`})`
  })
  const tags = Object.entries(info.tags).map(([name, version]) => `${name} is ${version}`)
  const states = [`${formatCount(items.done)} done`]
  if (items.partial > 0) states.push(`${formatCount(items.partial)} of them not whole`)
  if (items.failed > 0) states.push(`${formatCount(items.failed)} failed`)
  if (items.empty > 0) states.push(`${formatCount(items.empty)} empty`)
  return [
    `table       ${info.table} in ${info.uri}`,
    `version     ${info.version}`,
    `versions    ${formatCount(versions.kept)} kept, from ${versions.oldest} on${tags.length > 0 ? `; ${tags.join(", ")}` : ""}`,
    `rows        ${formatCount(info.rows)}`,
    `size        ${formatBytes(info.bytes)}`,
    ...(info.hidden.some(({ name }) => name === "_end") ? [`items       ${states.join(", ")}`] : []),
    `indexes     ${indexes.join(", ") || "none"}`,
    `thumbnails  ${formatCount(info.thumbnails)}`,
  ]
    .map(escapeText)
    .join("\n")
}

const bytesText = ({ type, bytes, width, height }: BytesInfo): string => {
  const size = width !== undefined && height !== undefined ? ` ${width}x${height}` : ""
  return `${type ?? "bytes"}${size}, ${formatBytes(bytes)}`
}

const shownRow = (row: PeekRow): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, isBytesInfo(value) ? bytesText(value) : value]))

export const inspectCommand = async (
  table: string,
  options: { readonly uri: string; readonly format: Format; readonly rows: number; readonly at?: string },
): Promise<void> => {
  const { uri, format, at } = options
  const version = at === undefined ? {} : { at }
  const info = await inspectTable(uri, table, version)
  if (format === "csv")
    return printRows(
      "csv",
      ["name", "type", "bytes"],
      info.columns.map((column) => ({ ...column })),
    )
  // Records are those of now, so that they say nothing of an older version.
  const [records, total] = at === undefined ? await recordsOf(uri, info) : [[], 0]
  const first = await peekRows(uri, table, { limit: options.rows, ...version })
  if (format === "json") return printJson({ ...info, first, records })
  const columns = info.columns.map(({ name, type, names, bytes, estimated }) => ({
    name,
    type,
    size: bytes === null ? (estimated ? "few, if any" : "") : `${estimated ? "about " : ""}${formatBytes(bytes)}`,
    classes: names?.join(", ") ?? "",
  }))
  const shown = columns.some(({ classes }) => classes !== "")
    ? ["name", "type", "size", "classes"]
    : ["name", "type", "size"]
  print(`${facts(info)}\n\n${formatTable(shown, columns)}`)
  const [one] = first
  if (one) print(`\n${formatTable(Object.keys(one), first.map(shownRow))}`)
  if (records.length === 0) return
  const reasons = records.map(({ _item, status, stage, error }) => `${_item}: ${status} (${stage}): ${error}`)
  print(`\n${reasons.map(escapeText).join("\n")}`)
  const more = total - records.length
  if (more > 0) print(`... and ${formatCount(more)} more in ${itemsTable(table)}`)
}
