import { describe, expect, it } from "vitest"
import { type Column, type Value, valueAt } from "../../src/model/column.ts"
import { ConfigError, IngestError } from "../../src/model/errors.ts"
import { batchOfColumns, columnOf } from "../../src/model/infer.ts"
import { type ColumnType, formatType } from "../../src/model/types.ts"

const valuesOf = (column: Column): readonly Value[] =>
  Array.from({ length: column.length }, (_, row) => valueAt(column, row))

/** Type and values of the column that is inferred. */
const inferred = (values: ArrayLike<unknown>): unknown => {
  const column = columnOf("c", values)
  return column && [formatType(column.type), valuesOf(column)]
}

const as = (type: ColumnType, ...values: unknown[]): readonly Value[] | undefined => {
  const column = columnOf("c", values, type)
  return column && valuesOf(column)
}

const bytes = Uint8Array.of(1, 2, 3)

describe("types from values", () => {
  it.each<[string, unknown[], string, unknown[]]>([
    ["booleans", [true, null, false], "BOOL", [true, null, false]],
    ["whole numbers", [1, -5, 2 ** 53 - 1], "INT64", [1n, -5n, 2n ** 53n - 1n]],
    ["whole numbers and nulls", [undefined, 7, null], "INT64", [null, 7n, null]],
    ["bigints", [2n ** 63n - 1n, -(2n ** 63n), 3], "INT64", [2n ** 63n - 1n, -(2n ** 63n), 3n]],
    ["a fraction after whole numbers", [1, 2, 0.5, null], "FLOAT64", [1, 2, 0.5, null]],
    ["a bigint before a fraction", [4n, 0.5], "FLOAT64", [4, 0.5]],
    ["numbers beyond 2^53", [1, 1e300], "FLOAT64", [1, 1e300]],
    ["NaN and infinity", [1, Number.NaN, -Infinity], "FLOAT64", [1, Number.NaN, -Infinity]],
    ["strings", ["", null, "日本 😀\n"], "TEXT", ["", null, "日本 😀\n"]],
    ["dates", [new Date(0), "x"], "TEXT", ["1970-01-01T00:00:00.000Z", "x"]],
    [
      "bytes",
      [bytes, Buffer.from("a"), new ArrayBuffer(1), null],
      "BINARY",
      [bytes, Uint8Array.of(97), Uint8Array.of(0), null],
    ],
    [
      "lists of one length",
      [[1, 2.5], null, new Float32Array([3, 4])],
      "EMBEDDING(2)",
      [Float32Array.of(1, 2.5), null, Float32Array.of(3, 4)],
    ],
    [
      "lists of lists of one length",
      [[[1, 2.5]], null, [[3, 4], new Float32Array([5, 6])]],
      "MULTI_EMBEDDING(2)",
      [[Float32Array.of(1, 2.5)], null, [Float32Array.of(3, 4), Float32Array.of(5, 6)]],
    ],
    ["lists of lists of different lengths", [[[1, 2]], [[1], [2]]], "JSON", ["[[1,2]]", "[[1],[2]]"]],
    ["lists of lists, one of them empty", [[[1, 2]], []], "JSON", ["[[1,2]]", "[]"]],
    ["a list and lists of lists", [[1, 2], [[1, 2]]], "JSON", ["[1,2]", "[[1,2]]"]],
    ["lists of different lengths", [[1], [1, 2], []], "JSON", ["[1]", "[1,2]", "[]"]],
    ["objects and lists", [{ a: [1, null] }, ["x"], null], "JSON", ['{"a":[1,null]}', '["x"]', null]],
  ])("%s", (_, values, type, stored) => {
    expect(inferred(values)).toEqual([type, stored])
  })

  it("leaves a column of nothing but nulls open, unless its type is given", () => {
    expect(inferred([null, undefined])).toBeUndefined()
    expect(inferred([])).toBeUndefined()
    expect(as({ name: "EMBEDDING" }, null)).toBeUndefined()
    expect(as({ name: "INT32" }, null, undefined)).toEqual([null, null])
    expect(as({ name: "EMBEDDING", size: 2 }, null)).toEqual([null])
    expect(as({ name: "MULTI_EMBEDDING" }, null, [])).toBeUndefined()
    expect(as({ name: "MULTI_EMBEDDING" }, [], [[1, 2]])).toEqual([[], [Float32Array.of(1, 2)]])
    expect(() => as({ name: "MULTI_EMBEDDING" }, [[1, 2]], [[1, 2], [3]])).toThrow(
      /row 1: expected MULTI_EMBEDDING\(2\) \(a list of vectors, each a list of 2 numbers\), found a list of 2 values/,
    )
  })

  it.each([
    [new Int32Array([1, 2]), "INT32", true],
    [new BigInt64Array([1n]), "INT64", true],
    [new Float32Array([0.5]), "FLOAT32", true],
    [new Float64Array([0.1]), "FLOAT64", true],
    [new Uint8Array([0, 255]), "INT32", false],
    [new Int16Array([-1]), "INT32", false],
    [new Uint32Array([4_000_000_000]), "INT64", false],
    [new BigUint64Array([1n]), "INT64", false],
  ])("takes a typed array as a column of its own type: %o", (values, type, inPlace) => {
    const column = columnOf("c", values)
    expect(column && formatType(column.type)).toBe(type)
    expect(column && valuesOf(column).map(Number)).toEqual(Array.from(values, Number))
    expect(column?.values === values).toBe(inPlace)
  })

  it.each<[string, unknown[], RegExp]>([
    [
      "text after a number",
      [1, null, "x"],
      /^Column "c", row 12: expected a value like that of row 10 \(1\), found the text "x"/,
    ],
    ["a boolean among numbers", [1, true], /row 11: .* found true/],
    ["a list among texts", ["x", [1]], /row 11: .* found a list of 1 values/],
    ["a function", [() => 1], /row 10: expected a value, found a function/],
    ["a bigint that no double holds", [0.5, 2n ** 60n + 1n], /row 11: expected FLOAT64 .* found 1152921504606846977n/],
    ["a bigint of more than 64 bits", [2n ** 63n], /row 10: expected INT64 .* found 9223372036854775808n/],
    ["an invalid date", [new Date("x")], /row 10: expected TEXT .* found an invalid date/],
    ["a map", [new Map()], /row 10: expected JSON .* found a Map/],
    ["NaN inside an object", [{ a: { b: [1, Number.NaN] } }], /row 10: expected JSON .* found NaN at \.a\.b\[1\]/],
    ["a function inside an object", [{ a: () => 1 }], /found a function at \.a/],
    ["bytes inside an object", [{ a: bytes }], /found 3 bytes at \.a/],
    ["a bigint inside an object", [{ a: 1n }], /row 10: expected JSON/],
  ])("refuses %s", (_, values, message) => {
    const run = (): unknown => columnOf("c", values, undefined, 10)
    expect(run).toThrow(IngestError)
    expect(run).toThrow(message)
  })

  it("refuses a cycle and endless nesting without falling over", () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    let deep: unknown[] = []
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(() => columnOf("c", [cycle])).toThrow(/row 0: expected JSON .* circular/)
    expect(() => columnOf("c", [deep])).toThrow(IngestError)
  })
})

describe("values of a given type", () => {
  it.each<[ColumnType, unknown[], unknown[]]>([
    [{ name: "INT32" }, [1, 2n, null, -(2 ** 31)], [1, 2, null, -(2 ** 31)]],
    [
      { name: "INT64" },
      [-1, 2 ** 40, -(2 ** 40) - 1, -(2 ** 63), 2 ** 62],
      [-1n, 2n ** 40n, -(2n ** 40n) - 1n, -(2n ** 63n), 2n ** 62n],
    ],
    [{ name: "FLOAT32" }, [0.5, 1n, Infinity, Number.NaN], [0.5, 1, Infinity, Number.NaN]],
    [{ name: "FLOAT64" }, [1, 2n ** 60n], [1, 2 ** 60]],
    [{ name: "CLASS_LABEL" }, [3], [3]],
    [{ name: "IMAGE" }, [bytes, null], [bytes, null]],
    [{ name: "BOUNDING_BOX" }, [[1, 2, 3, 4], [], null], [Float32Array.of(1, 2, 3, 4), new Float32Array(), null]],
    [{ name: "EMBEDDING" }, [null, [1, 2]], [null, Float32Array.of(1, 2)]],
    [{ name: "JSON" }, ['{"a": 1}', 5, true, ["x"], null], ['{"a": 1}', "5", "true", '["x"]', null]],
  ])("%o", (type, values, stored) => {
    expect(as(type, ...values)).toEqual(stored)
  })

  it.each<[ColumnType, unknown, RegExp]>([
    [{ name: "INT64" }, 1.5, /expected INT64 \(a whole number .*\), found 1\.5/],
    [{ name: "INT64" }, 2 ** 63, /expected INT64/],
    [{ name: "INT32" }, "5", /expected INT32 .* found the text "5"/],
    [{ name: "INT32" }, 2 ** 31, /found 2147483648/],
    [{ name: "INT32" }, Number.NaN, /found NaN/],
    [{ name: "INT32" }, true, /found true/],
    [{ name: "FLOAT32" }, 1e300, /expected FLOAT32 .* found 1e\+300/],
    [{ name: "BOOL" }, 1, /expected BOOL .* found 1/],
    [{ name: "TEXT" }, 1, /expected TEXT \(a string\), found 1/],
    [{ name: "IMAGE" }, "photo.jpg", /expected IMAGE \(a Uint8Array\), found the text "photo.jpg"/],
    [
      { name: "EMBEDDING", size: 3 },
      [1, 2],
      /expected EMBEDDING\(3\) \(a list of 3 numbers\), found a list of 2 values/,
    ],
    [{ name: "EMBEDDING", size: 2 }, [1, null], /found a list of 2 values with null at 1/],
    [{ name: "EMBEDDING" }, "x", /expected EMBEDDING \(a list of numbers\), found the text/],
    [{ name: "EMBEDDING" }, [], /found a list of 0 values/],
    [{ name: "POINT" }, [1e300], /expected POINT/],
    [{ name: "JSON" }, "{a:1}", /expected JSON .* found the text "\{a:1\}"/],
  ])("%o refuses %o", (type, value, message) => {
    const run = (): unknown => columnOf("c", [null, value], type, 5)
    expect(run).toThrow(IngestError)
    expect(run).toThrow(message)
    expect(run).toThrow(/^Column "c", row 6: /)
  })

  it("never shows a long value whole", () => {
    expect(() => columnOf("c", ["x".repeat(1e6)], { name: "INT32" })).toThrow(/^.{0,300}$/)
  })

  it("converts a typed array of another kind", () => {
    expect(as({ name: "INT64" }, ...Int32Array.of(1, -1))).toEqual([1n, -1n])
    expect(() => columnOf("c", Float64Array.of(1, 0.5), { name: "INT32" })).toThrow(/row 1: .* found 0\.5/)
  })
})

describe("batchOfColumns", () => {
  it("keeps the order of the columns, and leaves out what has no type yet", () => {
    const schema = new Map<string, ColumnType>([["named", { name: "TEXT" }]])
    const batch = batchOfColumns({ b: [1], nothing: [null], named: [null], a: ["x"] }, schema)
    expect(batch.rows).toBe(1)
    expect([...batch.columns.keys()]).toEqual(["b", "named", "a"])
    expect(batchOfColumns({ nothing: [null, null] })).toEqual({ rows: 2, columns: new Map() })
  })

  it("takes columns with the names of properties that every object has", () => {
    const data = JSON.parse('{"__proto__": [1], "constructor": [2], "toString": [3]}')
    expect([...batchOfColumns(data).columns.keys()]).toEqual(["__proto__", "constructor", "toString"])
  })

  it.each<[string, unknown, string]>([
    ["null", null, "data must be a dict: expected an object with an array a column, { name: [...] }, found null"],
    ["a list of rows", [{ a: 1 }], "data must be a dict"],
    ["text", "abc", "data must be a dict"],
    ["nothing", {}, "data must not be empty"],
    ["a column that is text", { a: "abc" }, 'Column "a": expected an array or a typed array, found the text "abc"'],
    ["a column that is a set", { a: new Set([1]) }, 'Column "a": expected an array or a typed array, found a Set'],
    ["different lengths", { a: [1, 2], b: [1] }, 'Columns must have equal lengths: "a" has 2 values, "b" has 1'],
  ])("refuses %s", (_, data, message) => {
    const run = (): unknown => batchOfColumns(data as Record<string, unknown[]>)
    expect(run).toThrow(IngestError)
    expect(run).toThrow(message)
  })

  it("refuses a reserved name", () => {
    expect(() => batchOfColumns({ _rowid: [1] })).toThrow(ConfigError)
  })
})
