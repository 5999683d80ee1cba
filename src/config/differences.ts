/** Rows that were expected, beside those that came. Columns that nobody names can be as they like. */
import type { Batch } from "../model/batch.ts"
import { type Value, valueAt } from "../model/column.ts"
import { isHidden } from "../model/rows.ts"
import { suggest } from "../model/suggest.ts"
import { isRecord, type Path } from "./problems.ts"

export interface Difference {
  /** Row, then column. */
  readonly path: Path
  readonly message: string
}

/** Numbers of vectors have about seven digits. */
const TOLERANCE = 1e-5

const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b))

/** Key by key, whatever their order. */
const isSame = (a: unknown, b: unknown): boolean => {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => isSame(one, b[at]))
  if (!isRecord(a) || !isRecord(b)) return Object.is(a, b)
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]))
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const fits = (expected: unknown, found: Value, isJson: boolean): boolean => {
  if (found === null || expected === null) return found === expected
  if (found instanceof Float32Array) {
    return (
      Array.isArray(expected) &&
      expected.length === found.length &&
      expected.every((one, at) => typeof one === "number" && isClose(found[at] ?? NaN, one))
    )
  }
  // Of bytes a document names the text that they are, or how many there are.
  if (found instanceof Uint8Array) {
    return typeof expected === "number" ? expected === found.length : expected === Buffer.from(found).toString("utf8")
  }
  if (typeof found === "bigint") return String(expected) === String(found)
  if (typeof found === "number")
    return found === expected || (typeof expected === "number" && found === Math.fround(expected))
  return found === expected || (isJson && isSame(parsed(String(found)), expected))
}

const LONGEST = 200

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text)

const shown = (value: unknown): string => {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof Float32Array) return short(JSON.stringify([...value]))
  return short(typeof value === "bigint" ? String(value) : JSON.stringify(value))
}

/** What is not as it was expected; the rows stand in the order of the source. */
export const differences = (
  expected: readonly Readonly<Record<string, unknown>>[],
  { rows, columns }: Batch,
): Difference[] => {
  const found: Difference[] = []
  if (expected.length !== rows) found.push({ path: [], message: `expected ${expected.length} rows, found ${rows}` })
  for (const [row, values] of expected.slice(0, rows).entries()) {
    for (const [name, value] of Object.entries(values)) {
      const column = columns.get(name)
      const path = [row, name]
      if (!column) {
        const known = [...columns.keys()].filter((one) => !isHidden(one))
        found.push({ path, message: `the rows have no such column${suggest(name, known)}` })
      } else if (!fits(value, valueAt(column, row), column.type.name === "JSON")) {
        found.push({ path, message: `expected ${shown(value)}, found ${shown(valueAt(column, row))}` })
      }
    }
  }
  return found
}
