/** Rows on standard output: aligned for people, or as JSON or CSV, whole, for programs. */
import { once } from "node:events"
import { escapeJson, escapeText } from "../observe/escape.ts"
import type { Format } from "./arguments.ts"
import { print } from "./console.ts"

export type Row = Readonly<Record<string, unknown>>

/** Longer text is cut in tables. */
const MAX_CELL = 80

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return ""
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return String(value)
}

/** Digits of a fraction that a table shows. */
const DIGITS = 6

const cellOf = (value: unknown): string =>
  textOf(typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value)

const isNumeric = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint"

const shorten = (text: string): string => {
  const line = escapeText(text.replaceAll(/\s+/g, " "))
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL - 1).replace(/[\ud800-\udbff]$/, "")}…` : line
}

/** Columns side by side, numbers to the right: a header, and the rows of each call, as wide as those of the first one. */
export const tableWriter = (columns: readonly string[]): ((rows: readonly Row[]) => string) => {
  const header = columns.map(escapeText)
  let line: ((row: readonly string[]) => string) | undefined
  return (rows) => {
    const cells = rows.map((row) => columns.map((column) => shorten(cellOf(row[column]))))
    if (line) return cells.map(line).join("\n")
    const widths = header.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)))
    const right = columns.map((column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])))
    line = (row) =>
      row
        .map((cell, at) => (right[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join("  ")
        .trimEnd()
    return [line(header), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n")
  }
}

export const formatTable = (columns: readonly string[], rows: readonly Row[]): string => tableWriter(columns)(rows)

/** RFC 4180, but with lines that end as they do everywhere else here. */
const csvCell = (value: unknown): string => {
  const text = textOf(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const formatCsv = (columns: readonly string[], rows: readonly Row[]): string =>
  [columns, ...rows.map((row) => columns.map((column) => row[column]))]
    .map((cells) => cells.map(csvCell).join(","))
    .join("\n")

/** A bigint is written as text: JSON's readers would round it. */
const toJson = (value: unknown, indent?: number): string =>
  escapeJson(JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one), indent))

export const printJson = (value: unknown): void => print(toJson(value, 2))

/** Waits where what reads the output is slower than what makes it. */
const write = async (text: string): Promise<void> => {
  if (!process.stdout.write(text)) await once(process.stdout, "drain")
}

const csvLines = (columns: readonly string[], rows: readonly Row[]): string =>
  rows.map((row) => `${columns.map((column) => csvCell(row[column])).join(",")}\n`).join("")

/** Prints rows as they come, as {@link printRows} does; JSON is an array with one object a line. */
export const printPages = async (
  format: Format,
  columns: readonly string[],
  pages: AsyncIterable<readonly Row[]>,
): Promise<void> => {
  const table = tableWriter(columns)
  const safe = (csv: string): string => (process.stdout.isTTY ? csv.split("\n").map(escapeText).join("\n") : csv)
  let before = ""
  if (format === "csv") await write(safe(`${columns.map(csvCell).join(",")}\n`))
  if (format === "json") before = "["
  for await (const rows of pages) {
    if (rows.length === 0) continue
    if (format === "csv") await write(safe(csvLines(columns, rows)))
    if (format === "table") await write(`${table(rows)}\n`)
    if (format !== "json") {
      before = "printed"
      continue
    }
    for (const row of rows) {
      await write(`${before}${toJson(row)}`)
      before = ",\n"
    }
  }
  if (format === "json") await write(before === "[" ? "[]\n" : "]\n")
  if (format === "table" && before === "") await write(`${table([])}\n`)
}

/** Prints rows as they were asked for; on a terminal CSV too is kept from acting upon it. */
export const printRows = (format: Format, columns: readonly string[], rows: readonly Row[]): void => {
  if (format === "json") printJson(rows)
  else if (format === "table") print(formatTable(columns, rows))
  else {
    const csv = formatCsv(columns, rows)
    print(process.stdout.isTTY ? csv.split("\n").map(escapeText).join("\n") : csv)
  }
}
