/** CSV and TSV: what the columns are, and what is said about lines that do not fit. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { beforeAll, describe, expect, it } from "vitest"
import { describeTable } from "../../src/readers/describe.ts"
import type { TableFile } from "../../src/readers/file.ts"
import { readTable } from "../../src/readers/read.ts"
import { plainRows, typesOf, whole } from "../fixtures/duckdb.ts"
import { tempFolder } from "../fixtures/temp.ts"

let folder: string
beforeAll(async () => {
  folder = await tempFolder()
})

const write = async (
  content: string | Uint8Array,
  name = "t.csv",
  options: Partial<TableFile> = {},
): Promise<TableFile> => {
  const path = join(folder, name)
  await writeFile(path, content)
  return { path, format: "csv", ...options }
}

const read = async (content: string | Uint8Array, name?: string, options?: Partial<TableFile>) =>
  whole(readTable(await write(content, name, options)))

describe("values", () => {
  it("are what they look like: truth values, whole numbers, other numbers, texts", async () => {
    const rows = await read(
      'flag,count,share,zip,serial,name,none\nTrue,1,0.5,00501,99999999999999999999,Ünï,\nfalse,-20,2e3,90210,1,"a ""b""",\n,9223372036854775807,,,,,\n',
    )
    expect(typesOf(rows)).toEqual({
      flag: "BOOL",
      count: "INT64",
      share: "FLOAT64",
      zip: "TEXT",
      serial: "TEXT",
      name: "TEXT",
      none: "TEXT",
    })
    expect(plainRows(rows)).toEqual([
      { flag: true, count: 1n, share: 0.5, zip: "00501", serial: "99999999999999999999", name: "Ünï", none: null },
      { flag: false, count: -20n, share: 2000, zip: "90210", serial: "1", name: 'a "b"', none: null },
      { flag: null, count: 2n ** 63n - 1n, share: null, zip: null, serial: null, name: null, none: null },
    ])
  })

  it("of no length are null, and texts of no length when they are quoted", async () => {
    expect(plainRows(await read('a,b\n1,""\n"",\n,x\n'))).toEqual([
      { a: "1", b: "" },
      { a: "", b: null },
      { a: null, b: "x" },
    ])
  })

  it("may hold delimiters, quotes and line breaks, which may be of any kind", async () => {
    expect(plainRows(await read('\ufeffa,b\r\n"x\r\ny","1,5"\r\n" z ",""""\r\n'))).toEqual([
      { a: "x\r\ny", b: "1,5" },
      { a: " z ", b: '"' },
    ])
    expect(plainRows(await read("a,b\n\n1,2\n\n\n3,4"))).toEqual([
      { a: 1n, b: 2n },
      { a: 3n, b: 4n },
    ])
  })

  it("of up to 16 MiB are read", async () => {
    const rows = await read(`a,b\n1,${"x".repeat(5_000_000)}\n`)
    expect(String(plainRows(rows)[0]?.b).length).toBe(5_000_000)
  })
})

describe("the first line", () => {
  it.each([
    ["a;b\n1,5;x\n", {}],
    ["a\tb\n1,5\tx\n", { format: "tsv" }],
    ["a\tb\n1,5\tx\n", {}],
    ["a|b\n1,5|x\n", {}],
    ["a::b\n1,5::x\n", { delimiter: "::" }],
    ['"a";b\n"1,5";x\n', {}],
  ] as const)("tells the delimiter: %j %j", async (content, options) => {
    expect(plainRows(await read(content, "t.csv", options))).toEqual([{ a: "1,5", b: "x" }])
  })

  it("is a row where it has no names", async () => {
    expect(plainRows(await read("1,x\n2,y\n", "t.csv", { header: false }))).toEqual([
      { column_0: 1n, column_1: "x" },
      { column_0: 2n, column_1: "y" },
    ])
  })

  it("may have odd names, but not one twice", async () => {
    expect(plainRows(await read('"a,b","c\nd",A,a, \n1,2,3,4,5\n'))).toEqual([
      { "a,b": 1n, "c\nd": 2n, A: 3n, a: 4n, column_4: 5n },
    ])
    await expect(read("a,b,a\n1,2,3\n")).rejects.toThrow(/Columns 1 and 3 are both named "a"/)
    await expect(read(",".repeat(1_000_000))).rejects.toThrow(/at most 10000 columns, found 1000001 in the first line/)
  })

  it("may stand alone", async () => {
    const file = await write("a,b\n")
    expect((await describeTable(file)).columns).toMatchObject([
      { name: "a", unknown: true },
      { name: "b", unknown: true },
    ])
    expect((await whole(readTable(file))).rows).toBe(0)
  })
})

describe("compressed", () => {
  it.each([
    ["t.csv.gz", gzipSync],
    ["t.csv.zst", zstdCompressSync],
  ])("%s", async (name, compress) => {
    const lines = Array.from({ length: 50_000 }, (_, row) => `${row},text ${row}`)
    const rows = await read(compress(Buffer.from(`id,t\n${lines.join("\n")}\n`)), name)
    expect(rows.rows).toBe(50_000)
    expect(plainRows(rows)[49_999]).toEqual({ id: 49_999n, t: "text 49999" })
  })
})

describe("a value that does not fit", () => {
  const many = Array.from({ length: 30_000 }, (_, row) => `${row},"line\nbreak ${row}"`)

  it.each([
    ["1.5", "1.5"],
    ["x", "x"],
    ["9223372036854775808", "9223372036854775808"],
  ])("beyond the first rows is named with its line: %s", async (value, found) => {
    const content = `n,t\n${many.join("\n")}\n\n${value},end\n`
    await expect(read(content)).rejects.toThrow(
      `t.csv: line 60003, column "n", row 30000: expected INT64, found the text "${found}". Correct the value, or give the column another type: schema: { "n": TEXT }`,
    )
    const columns = [{ name: "n", type: { name: "TEXT" } }] as const
    const rows = plainRows(await whole(readTable(await write(content), { columns })))
    expect(rows[30_000]).toEqual({ n: value })
    expect(rows[7]).toEqual({ n: "7" })
  })

  it.each([
    ["too few", "a,b\n1,2\n3\n", /t\.csv: line 3: expected 2 values, as the first line has, found 1/],
    ["too many", "a,b\n1,2\n3,4\n5,6,7\n", /t\.csv: line 4: expected 2 values, as the first line has, found 3/],
    ["a quote without end", 'a,b\n1,2\n3,"4\n5,6\n', /t\.csv: line 3: Value with unterminated quote/],
    ["Latin-1", Buffer.from("a,b\n1,caf\xe9\n", "latin1"), /t\.csv: .*(UTF-8|utf-8|unicode)/],
  ])("because a line has %s", async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message)
  })

  it("deep in the file is an error too, never the end of it", async () => {
    const lines = Array.from({ length: 200_000 }, (_, row) => `${row},text ${row}`)
    lines[150_000] = "150000"
    await expect(read(`id,t\n${lines.join("\n")}\n`)).rejects.toThrow(/line 150002: expected 2 values/)
  })
})

describe("asked types", () => {
  it("keep the text as it stands, and refuse columns that are not there", async () => {
    const file = await write("zip,v\n02139,[1;2]\n", "t.csv", { delimiter: "," })
    const columns = [{ name: "zip", type: { name: "INT64" } }] as const
    expect(plainRows(await whole(readTable(file, { columns })))).toEqual([{ zip: 2139n }])
    await expect(whole(readTable(file, { columns: [{ name: "zap", type: { name: "TEXT" } }] }))).rejects.toThrow(
      /t\.csv: Expected a column "zap", found "zip", "v"/,
    )
  })

  it("make vectors of text", async () => {
    const file = await write('v\n"[1, 2.5]"\n\n"[3,4]"\n')
    const type = { name: "EMBEDDING" } as const
    const described = await describeTable(file, () => type)
    expect(plainRows(await whole(readTable(file, { columns: described.columns })))).toEqual([
      { v: [1, 2.5] },
      { v: null },
      { v: [3, 4] },
    ])
  })
})
