/** JSON Lines: keys, types, ranges of lines. */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { beforeAll, describe, expect, it } from "vitest"
import { describeTable } from "../../src/readers/describe.ts"
import { lineRanges } from "../../src/readers/jsonl.ts"
import { readTable } from "../../src/readers/read.ts"
import { collect } from "../fixtures/collect.ts"
import { plainRows, typesOf, whole } from "../fixtures/duckdb.ts"
import { tempFolder } from "../fixtures/temp.ts"

let folder: string
beforeAll(async () => {
  folder = await tempFolder()
})

const write = async (content: string | Uint8Array, name = "t.jsonl") => {
  const path = join(folder, name)
  await writeFile(path, content)
  return { path, format: "jsonl" } as const
}

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join("")

describe("values", () => {
  it("have the types that all lines together say", async () => {
    const many = Array.from({ length: 30_000 }, (_, row) => ({ id: row, v: row }))
    const file = await write(lines([...many, { id: 30_000, v: 0.5, late: "here" }]))
    const rows = await whole(readTable(file))
    expect(typesOf(rows)).toEqual({ id: "INT64", v: "FLOAT64", late: "TEXT" })
    expect(plainRows(rows).slice(-2)).toEqual([
      { id: 29_999n, v: 29_999, late: null },
      { id: 30_000n, v: 0.5, late: "here" },
    ])
  })

  it("that are nested stay as they are, and lists of numbers of one length are vectors", async () => {
    const rows = [
      { o: { b: [1, { c: null }], a: "ü" }, v: [0.5, 1], r: [1.5], l: ["x"], m: 1, d: "2024-01-31", u: true },
      { o: {}, v: [2, 3], r: [1.5, 2], l: [], m: "one", d: "31.1.2024", u: null },
    ]
    const read = await whole(readTable(await write(lines(rows))))
    expect(typesOf(read)).toEqual({
      o: "JSON",
      v: "EMBEDDING(2)",
      r: "JSON",
      l: "JSON",
      m: "JSON",
      d: "TEXT",
      u: "BOOL",
    })
    expect(
      plainRows(read).map(({ o, r, l, m, ...rest }) => ({
        ...Object.fromEntries(Object.entries({ o, r, l, m }).map(([name, json]) => [name, JSON.parse(String(json))])),
        ...rest,
      })),
    ).toEqual(rows)
  })

  it("beyond 64 bits and beyond 2^53 keep their digits", async () => {
    const read = await whole(
      readTable(await write('{"u":18446744073709551615,"i":9007199254740993}\n{"u":1,"i":-5}\n')),
    )
    expect(plainRows(read)).toEqual([
      { u: "18446744073709551615", i: 9007199254740993n },
      { u: "1", i: -5n },
    ])
  })

  it("are not rounded when another type is asked for", async () => {
    const file = await write(lines([{ n: 1 }, { n: 1.5 }]))
    await expect(whole(readTable(file, { columns: [{ name: "n", type: { name: "INT64" } }] }))).rejects.toThrow(
      /t\.jsonl: column "n", row 1: expected INT64, found the text "1.5"/,
    )
  })
})

describe("ranges of lines", () => {
  const ROWS = 20_000
  const values = Array.from({ length: ROWS }, (_, row) => ({ id: row, text: "grün ".repeat(row % 20) }))

  it("hold every line once, in order", async () => {
    const file = await write(lines(values))
    const ranges = await collect(lineRanges(file.path, 1000))
    expect(ranges.length).toBeGreaterThan(10)
    const columns = (await describeTable(file)).columns
    const read: unknown[] = []
    for (const range of ranges) {
      const batch = await whole(readTable(file, { columns, bytes: { ...range, tempDir: folder } }))
      read.push(...plainRows(batch))
    }
    expect(read).toEqual(values.map(({ id, text }) => ({ id: BigInt(id), text })))
    const bytes = await readFile(file.path)
    for (const { end } of ranges.slice(0, -1)) expect(bytes[end - 1]).toBe(0x0a)
  })

  it("cover a file of one long line, and one without a line break at its end", async () => {
    const long = `{"a":"${"x".repeat(300_000)}"}`
    expect(await collect(lineRanges((await write(long)).path, 1))).toEqual([{ start: 0, end: long.length }])
    const short = '{"a":1}\n{"a":2}\n{"a":3}\n{"a":4}'
    expect(await collect(lineRanges((await write(short)).path, 1))).toEqual([
      { start: 0, end: 16 },
      { start: 16, end: 31 },
    ])
  })

  it("name the line of the file, not of the range", async () => {
    const before = lines(values.slice(0, 90))
    const content = `${lines(values.slice(0, 100))}{"id":\n{"id":1}\n`
    const file = await write(content)
    const columns = [{ name: "id", type: { name: "INT64" } }] as const
    const bytes = { start: Buffer.byteLength(before), end: Buffer.byteLength(content), tempDir: folder }
    await expect(whole(readTable(file, { columns, bytes }))).rejects.toThrow(
      /t\.jsonl: line 101: expected a JSON object, found malformed JSON/,
    )
    const text = [{ name: "text", type: { name: "INT64" } }] as const
    const part = {
      start: Buffer.byteLength(before),
      end: Buffer.byteLength(lines(values.slice(0, 100))),
      tempDir: folder,
    }
    await expect(whole(readTable(file, { columns: text, bytes: part }))).rejects.toThrow(
      /column "text", row 0: expected INT64, .*\(row 0 of this part is line 91\)/,
    )
  })
})

describe("what is no JSON Lines", () => {
  it.each([
    ["malformed", '{"a":1}\n\n{"a":2}\n{"a":\n', /t\.jsonl: line 4: expected a JSON object, found malformed JSON/],
    ["other values", '{"a":1}\n[1,2]\n', /t\.jsonl: Expected one JSON object with keys a line/],
    ["a key twice", '{"a":1,"a":2}\n', /t\.jsonl: line 1: .*duplicate key "a"/],
    [
      "keys that differ in case only",
      '{"Aa":1,"aA":2}\n',
      /t\.jsonl: Expected keys that differ in more than upper and lower case/,
    ],
    ["nothing", "", /t\.jsonl: Expected a table, found an empty file/],
  ])("is said to be %s", async (_, content, message) => {
    await expect(whole(readTable(await write(content)))).rejects.toThrow(message)
  })

  it("or has more keys than anybody gives names to", async () => {
    const keys = Array.from({ length: 10_001 }, (_, i) => [`k${i}`, i])
    const file = await write(`${JSON.stringify(Object.fromEntries(keys))}\n`)
    await expect(describeTable(file)).rejects.toThrow(/at most 10000 different keys, found 10001/)
  })
})

it("reads compressed files", async () => {
  const file = await write(gzipSync(lines([{ a: 1 }, { a: 2 }])), "t.jsonl.gz")
  expect(plainRows(await whole(readTable(file)))).toEqual([{ a: 1n }, { a: 2n }])
})

it("refuses compressed files that are cut off, also where only their checksum is missing", async () => {
  const packed = gzipSync(lines(Array.from({ length: 5000 }, (_, a) => ({ a, text: `text ${a}` }))))
  for (const bytes of [packed.length / 2, packed.length - 1]) {
    const file = await write(packed.subarray(0, bytes), "t.jsonl.gz")
    await expect(whole(readTable(file))).rejects.toThrow(/cannot be unpacked .*cut off or damaged/)
  }
})
