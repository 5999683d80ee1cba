/**
 * Conditions by chance, over values that are hard to compare. Whoever looks at them - the store, or the engine - the rows
 * are those that plain JavaScript finds.
 */
import * as fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { Client } from "../../../src/client.ts"
import { boolColumn, newColumn, textColumn, validity } from "../../../src/model/column.ts"
import { writeTable } from "../../fixtures/tables.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const NEGATIVE_NAN = new Float64Array(new BigUint64Array([0xfff8000000000000n]).buffer)[0] ?? Number.NaN
const FLOATS = [0, -0, 1, -1, 0.1, 1.5, 3, 1e22, 5e-324, Number.NaN, NEGATIVE_NAN, Infinity, -Infinity, 16777217, null]
const INTS = [0, 1, 2, -1, 7, 2147483647, -2147483648, null]
const LONGS = [0n, 1n, -1n, 7n, 9007199254740993n, 9223372036854775807n, -9223372036854775808n, null]
const TEXTS = [
  "",
  "a",
  "A",
  "it's",
  "50%",
  "a_b",
  "ä",
  "日本",
  "😀",
  "\u{ffff}",
  "back\\slash",
  "\n",
  "aé",
  '"q"',
  "--",
  null,
]
const BOOLS = [true, false, null]

const ROWS = 120
const pick = <T>(values: readonly T[], row: number, step: number): T => values[(row * step) % values.length] as T

interface TestRow {
  readonly row: number
  readonly i: number | null
  readonly "Long one": bigint | null
  readonly f: number | null
  readonly x: number | null
  readonly tëxt: string | null
  readonly b: boolean | null
}

const rows: readonly TestRow[] = Array.from({ length: ROWS }, (_, row) => {
  const f = pick(FLOATS, row, 7)
  return {
    row,
    i: pick(INTS, row, 3),
    "Long one": pick(LONGS, row, 5),
    f: f === null ? null : Math.fround(f),
    x: pick(FLOATS, row, 11),
    tëxt: pick(TEXTS, row, 13),
    b: pick(BOOLS, row, 1),
  }
})

type ColumnName = Exclude<keyof TestRow, "row">

let client: Client

beforeAll(async () => {
  client = new Client({ uri: await tempFolder() })
  const valid = (name: ColumnName) => validity(ROWS, (row) => rows[row]?.[name] != null)
  const all = <T>(name: ColumnName, zero: T) => rows.map((row) => (row[name] ?? zero) as T)
  const columns = {
    row: newColumn({ name: "INT32" }, ROWS, Int32Array.from(rows.keys())),
    i: newColumn({ name: "INT32" }, ROWS, Int32Array.from(all("i", 0)), undefined, valid("i")),
    "Long one": newColumn(
      { name: "INT64" },
      ROWS,
      BigInt64Array.from(all("Long one", 0n)),
      undefined,
      valid("Long one"),
    ),
    f: newColumn({ name: "FLOAT32" }, ROWS, Float32Array.from(all("f", 0)), undefined, valid("f")),
    x: newColumn({ name: "FLOAT64" }, ROWS, Float64Array.from(all("x", 0)), undefined, valid("x")),
    tëxt: textColumn(rows.map(({ tëxt }) => tëxt)),
    b: boolColumn(rows.map(({ b }) => b)),
  }
  await writeTable(client.uri, "t", [["one", columns]])
  await writeTable(client.uri, "indexed", [["one", columns]])
  for (const name of ["i", "Long one", "f", "x", "b"]) await client.createIndex("indexed", name)
})

type Truth = boolean | null
interface Condition {
  readonly sql: string
  readonly params: readonly (string | number | bigint | boolean)[]
  readonly holds: (row: TestRow) => Truth
}

/** Below 0, 0, above 0; NaN is equal to NaN and above all else; texts by their bytes. */
const order = (a: string | number | bigint, b: string | number | bigint): number => {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

const TESTS = {
  "=": (at: number) => at === 0,
  "<>": (at: number) => at !== 0,
  "<": (at: number) => at < 0,
  "<=": (at: number) => at <= 0,
  ">": (at: number) => at > 0,
  ">=": (at: number) => at >= 0,
} as const

type Scalar = string | number | bigint
const quoted = (name: ColumnName): string => `"${name}"`
const sqlOf = (value: Scalar): string => (typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : `${value}`)

const VALUES: Readonly<Record<Exclude<ColumnName, "b">, readonly Scalar[]>> = {
  i: [0, 1, -1, 2, 7, 1.5, 2147483647, -2147483648, 3000000000],
  "Long one": [0, 1, 7, 9007199254740993n, 9223372036854775807n, -9223372036854775808n],
  f: [0, 1, -1, 0.1, 1.5, 1e22, 16777217, 1e300, Math.fround(0.1)],
  x: [0, 1, -1, 0.1, 1.5, 5e-324, 1e22, 1.7976931348623157e308],
  tëxt: TEXTS.filter((text) => text !== null),
}
const columns = fc.constantFrom(...(Object.keys(VALUES) as (keyof typeof VALUES)[]))
const withValue = columns.chain((name) =>
  fc.record({ name: fc.constant(name), value: fc.constantFrom(...VALUES[name]) }),
)

const comparison: fc.Arbitrary<Condition> = fc
  .record({
    of: withValue,
    test: fc.constantFrom(...(Object.keys(TESTS) as (keyof typeof TESTS)[])),
    bound: fc.boolean(),
    mirrored: fc.boolean(),
  })
  .map(({ of: { name, value }, test, bound, mirrored }) => {
    const right = bound ? "$?" : sqlOf(value)
    return {
      sql: mirrored ? `${right} ${test} ${quoted(name)}` : `${quoted(name)} ${test} ${right}`,
      params: bound ? [value] : [],
      holds: (row) => {
        const found = row[name]
        if (found === null) return null
        return TESTS[test](mirrored ? order(value, found) : order(found, value))
      },
    }
  })

const membership: fc.Arbitrary<Condition> = columns
  .chain((name) =>
    fc.record({
      name: fc.constant(name),
      values: fc.array(fc.constantFrom(...VALUES[name]), { minLength: 1, maxLength: 4 }),
      negated: fc.boolean(),
    }),
  )
  .map(({ name, values, negated }) => ({
    sql: `${quoted(name)} ${negated ? "NOT " : ""}IN (${values.map(sqlOf).join(", ")})`,
    params: [],
    holds: (row) => {
      const found = row[name]
      return found === null ? null : values.some((value) => order(found, value) === 0) !== negated
    },
  }))

const between: fc.Arbitrary<Condition> = columns
  .chain((name) => {
    const value = fc.constantFrom(...VALUES[name])
    return fc.record({ name: fc.constant(name), low: value, high: value, negated: fc.boolean() })
  })
  .map(({ name, low, high, negated }) => ({
    sql: `${quoted(name)} ${negated ? "NOT " : ""}BETWEEN ${sqlOf(low)} AND ${sqlOf(high)}`,
    params: [],
    holds: (row) => {
      const found = row[name]
      return found === null ? null : (order(found, low) >= 0 && order(found, high) <= 0) !== negated
    },
  }))

const PATTERNS = ["%", "_", "a%", "%s", "%'%", "50\\%", "a\\_b", "%\\\\%", "ä", "_é", "", "%本", "A", "__"]

/** PostgreSQL's LIKE, with a backslash for what is meant literally. */
const likeTest = (pattern: string): RegExp => {
  const parts = [...pattern.matchAll(/\\(.)|([%_])|(.)/gsu)].map(([, literal, wild, other]) => {
    if (wild) return wild === "%" ? ".*" : "."
    return (literal ?? other ?? "").replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")
  })
  return new RegExp(`^${parts.join("")}$`, "su")
}

const like: fc.Arbitrary<Condition> = fc
  .record({ pattern: fc.constantFrom(...PATTERNS), negated: fc.boolean(), bound: fc.boolean() })
  .map(({ pattern, negated, bound }) => ({
    sql: `"tëxt" ${negated ? "NOT " : ""}LIKE ${bound ? "$?" : sqlOf(pattern)}`,
    params: bound ? [pattern] : [],
    holds: ({ tëxt }) => (tëxt === null ? null : likeTest(pattern).test(tëxt) !== negated),
  }))

const nullTest: fc.Arbitrary<Condition> = fc
  .record({ name: fc.constantFrom<ColumnName>("i", "Long one", "f", "x", "tëxt", "b"), negated: fc.boolean() })
  .map(({ name, negated }) => ({
    sql: `${quoted(name)} IS ${negated ? "NOT " : ""}NULL`,
    params: [],
    holds: (row) => (row[name] === null) !== negated,
  }))

const truths: fc.Arbitrary<Condition> = fc.constantFrom<Condition>(
  { sql: "b", params: [], holds: ({ b }) => b },
  { sql: "b = false", params: [], holds: ({ b }) => (b === null ? null : !b) },
  { sql: "b <> $?", params: [true], holds: ({ b }) => (b === null ? null : !b) },
  { sql: "b IS NOT TRUE", params: [], holds: ({ b }) => b !== true },
  { sql: "b IS FALSE", params: [], holds: ({ b }) => b === false },
  { sql: "b IS UNKNOWN", params: [], holds: ({ b }) => b === null },
  { sql: "true", params: [], holds: () => true },
)

const not = (truth: Truth): Truth => (truth === null ? null : !truth)
const both = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === null || b === null ? null : true

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 5, arbitrary: comparison },
    { weight: 2, arbitrary: membership },
    { weight: 2, arbitrary: between },
    { weight: 2, arbitrary: like },
    nullTest,
    truths,
    tie("condition").map((one) => ({ ...one, sql: `NOT (${one.sql})`, holds: (row: TestRow) => not(one.holds(row)) })),
    fc.tuple(tie("condition"), tie("condition"), fc.boolean()).map(([one, other, and]) => ({
      sql: `(${one.sql}) ${and ? "AND" : "OR"} (${other.sql})`,
      params: [...one.params, ...other.params],
      holds: (row: TestRow) =>
        and ? both(one.holds(row), other.holds(row)) : not(both(not(one.holds(row)), not(other.holds(row)))),
    })),
  ),
}))

/** Placeholders get their numbers in the order in which they stand. */
const numbered = (sql: string): string => {
  let number = 0
  return sql.replaceAll("$?", () => `$${++number}`)
}

describe("conditions", () => {
  it("mean the same in the store and in the engine as in plain JavaScript", async () => {
    await fc.assert(
      fc.asyncProperty(condition, async ({ sql, params, holds }) => {
        const expected = rows.filter((row) => holds(row) === true).map(({ row }) => row)
        const where = numbered(sql)
        const found = async (query: string) =>
          (await client.query<{ row: number }>(query, params)).map(({ row }) => row)
        // The store's, where it knows the condition; the engine's, because of what it is joined with.
        expect(await found(`SELECT row FROM t WHERE ${where}`), where).toEqual(expected)
        expect(await found(`SELECT row FROM t WHERE (${where}) OR row + 1 = 0`), where).toEqual(expected)
        expect(
          (await found(`SELECT row FROM indexed WHERE ${where}`)).toSorted((a, b) => a - b),
          where,
        ).toEqual(expected)
        expect(await client.query(`SELECT count(*) FROM t WHERE ${where}`, params)).toEqual([
          { count: expected.length },
        ])
      }),
      { numRuns: 40 },
    )
  })
})
