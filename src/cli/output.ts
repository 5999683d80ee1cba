/** Rows on standard output: aligned for people, or as JSON or CSV, whole, for programs. */
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

/** Columns side by side, numbers to the right. */
export const formatTable = (columns: readonly string[], rows: readonly Row[]): string => {
  const cells = rows.map((row) => columns.map((column) => shorten(cellOf(row[column]))))
  const header = columns.map(escapeText)
  const widths = header.map((name, at) => Math.max(name.length, ...cells.map((row) => row[at]?.length ?? 0)))
  const right = columns.map((column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (right[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
      .join("  ")
      .trimEnd()
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...cells.map(line)].join("\n")
}

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
export const printJson = (value: unknown): void =>
  print(escapeJson(JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one), 2)))

/** Prints rows as they were asked for; on a terminal CSV too is kept from acting upon it. */
export const printRows = (format: Format, columns: readonly string[], rows: readonly Row[]): void => {
  if (format === "json") printJson(rows)
  else if (format === "table") print(formatTable(columns, rows))
  else {
    const csv = formatCsv(columns, rows)
    print(process.stdout.isTTY ? csv.split("\n").map(escapeText).join("\n") : csv)
  }
}
