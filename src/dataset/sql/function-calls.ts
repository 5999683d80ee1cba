/** Calls of functions, aggregates and windows in the engine's SQL. */
import type { FuncCall, Node, WindowDef } from "libpg-query"
import { identifier } from "../../readers/duckdb.ts"
import { type Context, mark } from "./context.ts"
import { isRefused, RENAMED } from "./functions.ts"
import { as, constantOf, namesOf } from "./node.ts"
import { errorAt } from "./source.ts"

interface Printers {
  readonly sort: (items: readonly Node[] | undefined) => string
  readonly isBytes: (node: Node | undefined) => boolean
}

/**
 * The function's name, without the schema that PostgreSQL's own are in.
 *
 * @throws {TableError} for one that is not to be called.
 */
export const functionName = ({ sql }: Context, { funcname, location }: FuncCall): string => {
  const names = namesOf(funcname)
  const name = names.at(-1) ?? ""
  if (names.length > 1 && names[0] !== "pg_catalog") {
    throw errorAt(sql, location, `there is no schema ${JSON.stringify(names[0])}`)
  }
  if (!/^[a-z_][a-z0-9_]*$/.test(name) || isRefused(name)) {
    throw errorAt(sql, location, `the function ${JSON.stringify(name)} is not supported`)
  }
  return name
}

/** What a part of a window's frame is, as bits of PostgreSQL's `frameOptions`. */
const FRAME = {
  given: 0x1,
  modes: [
    [0x2, "RANGE"],
    [0x4, "ROWS"],
    [0x8, "GROUPS"],
  ],
  starts: [
    [0x20, "UNBOUNDED PRECEDING"],
    [0x80, "UNBOUNDED FOLLOWING"],
    [0x200, "CURRENT ROW"],
    [0x800, "PRECEDING"],
    [0x2000, "FOLLOWING"],
  ],
  ends: [
    [0x40, "UNBOUNDED PRECEDING"],
    [0x100, "UNBOUNDED FOLLOWING"],
    [0x400, "CURRENT ROW"],
    [0x1000, "PRECEDING"],
    [0x4000, "FOLLOWING"],
  ],
  excludes: [
    [0x8000, " EXCLUDE CURRENT ROW"],
    [0x10000, " EXCLUDE GROUP"],
    [0x20000, " EXCLUDE TIES"],
  ],
} as const

const bit = (options: number, names: readonly (readonly [number, string])[]): string =>
  names.find(([flag]) => (options & flag) !== 0)?.[1] ?? ""

const edge = (word: string, offset: Node | undefined, print: (node: Node) => string): string =>
  offset ? `${print(offset)} ${word}` : word

const frame = ({ frameOptions = 0, startOffset, endOffset }: WindowDef, print: (node: Node) => string): string => {
  if ((frameOptions & FRAME.given) === 0) return ""
  const start = edge(bit(frameOptions, FRAME.starts), startOffset, print)
  const end = edge(bit(frameOptions, FRAME.ends), endOffset, print)
  return ` ${bit(frameOptions, FRAME.modes)} BETWEEN ${start} AND ${end}${bit(frameOptions, FRAME.excludes)}`
}

/** What stands in the parentheses of OVER, or of WINDOW. */
export const printWindow = (window: WindowDef, print: (node: Node) => string, sort: Printers["sort"]): string => {
  const { refname, partitionClause = [], orderClause = [] } = window
  const parts = [
    ...(refname ? [identifier(refname)] : []),
    ...(partitionClause.length > 0 ? [`PARTITION BY ${partitionClause.map(print).join(", ")}`] : []),
    ...(orderClause.length > 0 ? [`ORDER BY ${sort(orderClause)}`] : []),
  ]
  return `${parts.join(" ")}${frame(window, print)}`
}

const over = (window: WindowDef, print: (node: Node) => string, sort: Printers["sort"]): string =>
  window.name ? ` OVER ${identifier(window.name)}` : ` OVER (${printWindow(window, print, sort)})`

/** Names of what bytes are called by otherwise than text. */
const nameFor = (name: string, bytes: boolean): string => {
  if (name === "octet_length" || (bytes && name === "length")) return bytes ? "octet_length" : "strlen"
  return Object.hasOwn(RENAMED, name) ? (RENAMED[name] ?? name) : name
}

/** Bytes as text and back: PostgreSQL's have the format as a second argument, the engine's other names. */
const CODES: Readonly<Record<string, (text: string) => string>> = {
  "decode hex": (text) => `from_hex(${text})`,
  "decode base64": (text) => `from_base64(${text})`,
  "encode hex": (bytes) => `lower(hex(${bytes}))`,
  "encode base64": (bytes) => `to_base64(${bytes})`,
}

const codeCall = ({ sql }: Context, name: string, call: FuncCall, print: (node: Node) => string): string => {
  const [value, format, more] = call.args ?? []
  const constant = as(format, "A_Const")
  const code = CODES[`${name} ${constant ? constantOf(constant) : ""}`]
  if (!value || !code || more) throw errorAt(sql, call.location, `expected ${name}(value, 'hex' or 'base64')`)
  return `${mark(call.location)}${code(print(value))}`
}

export const functionCall = (
  context: Context,
  call: FuncCall,
  print: (node: Node) => string,
  { sort, isBytes }: Printers,
): string => {
  const { args = [], agg_order = [], agg_filter, location } = call
  const name = functionName(context, call)
  if (name === "decode" || name === "encode") return codeCall(context, name, call, print)
  if (call.func_variadic) throw errorAt(context.sql, location, "VARIADIC is not supported")
  const inner = call.agg_star ? "*" : args.map(print).join(", ")
  const order = agg_order.length > 0 ? `ORDER BY ${sort(agg_order)}` : ""
  const within = call.agg_within_group && order !== ""
  const list = `${call.agg_distinct ? "DISTINCT " : ""}${inner}${order !== "" && !within ? ` ${order}` : ""}`
  const shown = nameFor(name, isBytes(args[0]))
  return [
    `${mark(location)}${shown}(${list})`,
    within ? ` WITHIN GROUP (${order})` : "",
    agg_filter ? ` FILTER (WHERE ${print(agg_filter)})` : "",
    call.over ? over(call.over, print, sort) : "",
  ].join("")
}
