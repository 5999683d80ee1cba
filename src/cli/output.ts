/** Rows on standard output: aligned for people, or as JSON or CSV, whole, for programs. */
import { once } from "node:events"
import type { BytesInfo } from "../dataset/peek.ts"
import { formatBytes } from "../model/units.ts"
import { escapeJson, escapeText } from "../observe/escape.ts"
import { cut, widthOf } from "../observe/width.ts"
import type { Format } from "./arguments.ts"
import { print } from "./console.ts"

export type Row = Readonly<Record<string, unknown>>

/** Longer text is cut in tables. */
export const MAX_CELL = 80

/** `JPEG 640x480, 23.1 KiB` */
export const bytesText = ({ type, bytes, width, height }: BytesInfo): string => {
  const size = width !== undefined && height !== undefined ? ` ${width}x${height}` : ""
  return `${type ?? "bytes"}${size}, ${formatBytes(bytes)}`
}

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

const lineOf = (text: string): string => escapeText(text.replaceAll(/\s+/g, " "))

/** Characters that one place on a terminal may take, accents and joined pictures among them; what is beyond is not looked at. */
const MOST_CHARACTERS = 20

const shorten = (text: string, size: number): string => {
  const looked = text.length > size * MOST_CHARACTERS ? text.slice(0, size * MOST_CHARACTERS) : text
  return looked.length < text.length || widthOf(looked) > size ? `${cut(looked, Math.max(1, size) - 1)}…` : text
}

/** Spaces beside a text, which on a terminal can be wider than it has characters. */
const pad = (text: string, width: number): string => " ".repeat(Math.max(0, width - widthOf(text)))

/** Between two columns. */
const GAP = 2
/** Columns are made narrower down to this; where that is not enough, every value gets a line of its own. */
const MIN_WIDTH = 8

/** The widths with the widest ones cut down until all fit; undefined where they cannot. */
const narrowed = (widths: readonly number[], room: number): number[] | undefined => {
  const least = widths.map((width) => Math.min(width, MIN_WIDTH))
  const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0)
  const space = room - GAP * (widths.length - 1)
  if (sum(least) > space) return undefined
  const fitted = [...widths]
  while (sum(fitted) > space) {
    const widest = fitted.indexOf(Math.max(...fitted))
    fitted[widest] = (fitted[widest] ?? 0) - 1
  }
  return fitted
}

/** `name  value`, a line each. */
const formatList = (columns: readonly string[], rows: readonly (readonly string[])[], room: number): string => {
  const names = Math.min(Math.max(...columns.map(widthOf)), Math.floor(room / 2))
  return rows
    .map((row) =>
      columns
        .map((column, at) => {
          const name = shorten(column, names)
          return `${name}${pad(name, names)}  ${shorten(row[at] ?? "", room - names - GAP)}`.trimEnd()
        })
        .join("\n"),
    )
    .join("\n\n")
}

/**
 * Columns side by side, numbers to the right: a header, and the rows of each call, as wide as those of the first one.
 * Where they do not fit into `room` characters, long values are cut; where that is not enough, values stand below one
 * another.
 */
export const tableWriter = (
  columns: readonly string[],
  room: number = process.stdout.columns || Infinity,
): ((rows: readonly Row[]) => string) => {
  const header = columns.map(escapeText)
  let format: ((cells: readonly (readonly string[])[]) => string) | undefined

  const sideBySide = (widths: readonly number[], right: readonly boolean[]) => {
    const line = (row: readonly string[]): string =>
      row
        .map((cell, at) => {
          const width = widths[at] ?? 0
          // Later rows may be wider than the first ones; where there is room without end, nothing is lost of them.
          const shown = room === Infinity ? cell : shorten(cell, width)
          return right[at] ? pad(shown, width) + shown : shown + pad(shown, width)
        })
        .join(" ".repeat(GAP))
        .trimEnd()
    return { head: [line(header), line(widths.map((width) => "-".repeat(width)))], line }
  }

  return (rows) => {
    const cells = rows.map((row) => columns.map((column) => shorten(lineOf(cellOf(row[column])), MAX_CELL)))
    if (format) return format(cells)
    const natural = header.map((name, at) => Math.max(widthOf(name), ...cells.map((row) => widthOf(row[at] ?? ""))))
    const widths = narrowed(natural, room)
    if (!widths) {
      format = (more) => formatList(header, more, room)
      return format(cells)
    }
    const right = columns.map((column) => rows.length > 0 && rows.every((row) => isNumeric(row[column])))
    const { head, line } = sideBySide(widths, right)
    format = (more) => more.map(line).join("\n")
    return [...head, ...cells.map(line)].join("\n")
  }
}

/** As {@link tableWriter}, of all rows at once. */
export const formatTable = (columns: readonly string[], rows: readonly Row[], room?: number): string =>
  tableWriter(columns, room)(rows)

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
