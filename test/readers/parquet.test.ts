/** Parquet files made by formulas, and what comes out of them. */
import { readFile, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import type { ColumnType } from "../../src/model/types.ts"
import { describeTable } from "../../src/readers/describe.ts"
import { readTable } from "../../src/readers/read.ts"
import { plainRows, sql, typesOf, whole, writeParquet } from "../fixtures/duckdb.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ROWS = 5000
let folder: string
const at = (name: string) => ({ path: join(folder, name), format: "parquet" }) as const

beforeAll(async () => {
  folder = await tempFolder()
})

const nullable = (expression: string): string => `CASE WHEN i % 5 = 3 THEN NULL ELSE ${expression} END`
const text = (row: number): string => (row % 3 === 0 ? `s${row}` : "grün🌊".repeat(row % 40) + row)

describe("types", () => {
  it("come out as the formula says, with nulls everywhere", async () => {
    const columns = {
      flag: "i % 3 = 0",
      tiny: "(i % 200)::UTINYINT",
      small: "(i - 2500)::INTEGER",
      big: "9007199254740993 + i",
      half: "(i / 4)::FLOAT",
      real: "i / 7",
      text: "CASE WHEN i % 3 = 0 THEN 's' || i ELSE repeat('grün🌊', (i % 40)::INT) || i END",
      word: "'a word of a dictionary ' || (i % 5)",
      bytes: "unhex(lpad(to_hex(i), 6, '0') || 'FF00FE')",
      vector: "[i, i + 0.5, -i]::FLOAT[]",
    }
    const select = Object.entries(columns).map(([name, expression]) => `${nullable(expression)} AS ${name}`)
    const file = at("types.parquet")
    await writeParquet(file.path, ROWS, select.join(", "), ", ROW_GROUP_SIZE 2048")

    const rows = await whole(readTable(file))

    expect(typesOf(rows)).toEqual({
      flag: "BOOL",
      tiny: "INT32",
      small: "INT32",
      big: "INT64",
      half: "FLOAT32",
      real: "FLOAT64",
      text: "TEXT",
      word: "TEXT",
      bytes: "BINARY",
      vector: "EMBEDDING(3)",
    })
    const expected = Array.from({ length: ROWS }, (_, row) => {
      const values = {
        flag: row % 3 === 0,
        tiny: row % 200,
        small: row - 2500,
        big: 9007199254740993n + BigInt(row),
        half: Math.fround(row / 4),
        real: row / 7,
        text: text(row),
        word: `a word of a dictionary ${row % 5}`,
        bytes: [row >> 16, (row >> 8) & 255, row & 255, 255, 0, 254],
        vector: [row, row + 0.5, row === 0 ? 0 : -row],
      }
      return row % 5 === 3 ? Object.fromEntries(Object.keys(values).map((name) => [name, null])) : values
    })
    expect(plainRows(rows)).toEqual(expected)
  })

  it.each([
    ["DATE '2024-02-29'", "2024-02-29", 19782n],
    ["TIMESTAMP '2024-02-29 12:34:56.5'", "2024-02-29T12:34:56.500000", 1709210096500000n],
    ["TIMESTAMP_NS '2024-02-29 12:34:56.5'", "2024-02-29T12:34:56.500000000", 1709210096500000000n],
    ["TIMESTAMPTZ '2024-02-29 12:34:56+02'", "2024-02-29T10:34:56.000000Z", 1709202896000000n],
  ])("%s is text that sorts, or a number of its unit", async (expression, iso, epoch) => {
    const file = at("times.parquet")
    await writeParquet(file.path, 1, `${expression} AS t`)
    expect(plainRows(await whole(readTable(file)))).toEqual([{ t: iso }])
    const columns = [{ name: "t", type: { name: "INT64" } }] as const
    expect(plainRows(await whole(readTable(file, { columns })))).toEqual([{ t: epoch }])
  })

  it("keeps all digits of decimals and unsigned numbers", async () => {
    const file = at("digits.parquet")
    await writeParquet(
      file.path,
      1,
      "12345678901234567890123456789.123456789::DECIMAL(38,9) AS d, 9223372036854775807::UBIGINT AS u, uuid() AS id, TIME '01:02:03' AS t",
    )
    expect(plainRows(await whole(readTable(file)))).toEqual([
      {
        d: "12345678901234567890123456789.123456789",
        u: 2n ** 63n - 1n,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        t: "01:02:03",
      },
    ])
  })

  it("refuses an unsigned number that INT64 cannot hold, and reads it as TEXT", async () => {
    const file = at("unsigned.parquet")
    await writeParquet(
      file.path,
      3000,
      "(18446744073709551615 - CASE WHEN i = 2900 THEN 0 ELSE 18446744073709551615 END)::UBIGINT AS u",
    )
    await expect(whole(readTable(file))).rejects.toThrow(
      /unsigned\.parquet: column "u", row 2900: expected INT64, found the text "18446744073709551615".*"u": TEXT/,
    )
    const rows = await whole(readTable(file, { columns: [{ name: "u", type: { name: "TEXT" } }] }))
    expect(plainRows(rows)[2900]).toEqual({ u: "18446744073709551615" })
  })

  it("turns what is nested into JSON", async () => {
    const file = at("nested.parquet")
    await writeParquet(
      file.path,
      3,
      `{'a': i, 'b': ['x"y', NULL]} AS o, MAP {'k': i} AS m, [i, NULL] AS l, {'f': [i / 2, 'nan'::DOUBLE, '-inf'::DOUBLE], 's': '-Infinity "NaN'} AS n`,
    )
    const rows = plainRows(await whole(readTable(file)))
    expect(rows.map((row) => Object.values(row).map((value) => JSON.parse(String(value))))).toEqual(
      [0, 1, 2].map((i) => [
        { a: i, b: ['x"y', null] },
        { k: i },
        [i, null],
        { f: [i / 2, null, null], s: '-Infinity "NaN' },
      ]),
    )
  })
})

describe("lists of floats", () => {
  it.each([
    ["one length", "[i, 1]::DOUBLE[]", "EMBEDDING(2)"],
    ["different lengths", "[0.5 FOR x IN range(1 + (i // 4999))]::FLOAT[]", "JSON"],
    ["a null in the last one", "[1.5, CASE WHEN i < 4999 THEN 2 END]::FLOAT[]", "JSON"],
    ["no values", "[]::FLOAT[]", "JSON"],
  ])("of %s", async (_, expression, type) => {
    const file = at("lists.parquet")
    await writeParquet(file.path, ROWS, `${expression} AS l`)
    expect(typesOf(await whole(readTable(file)))).toEqual({ l: type })
  })

  it("as EMBEDDING name the row that has another length, or a null", async () => {
    const file = at("ragged.parquet")
    await writeParquet(
      file.path,
      ROWS,
      "[0.5 FOR x IN range(2 + (i // 4998))]::FLOAT[] AS l, [1, CASE WHEN i <> 17 THEN 2 END]::FLOAT[] AS n",
    )
    const read = (name: string) => whole(readTable(file, { columns: [{ name, type: { name: "EMBEDDING", size: 2 } }] }))
    await expect(read("l")).rejects.toThrow(/column "l", row 4998: expected EMBEDDING\(2\), found a list of 3 numbers/i)
    await expect(read("n")).rejects.toThrow(/column "n", row 17: expected a list of numbers, found null in it/i)
  })

  it("fill a BOUNDING_BOX column of any length, also from lists of lists", async () => {
    const file = at("boxes.parquet")
    await writeParquet(file.path, 4, "[[i, j] FOR j IN range(i)] AS boxes")
    const columns = [{ name: "boxes", type: { name: "BOUNDING_BOX" } }] as const
    expect(plainRows(await whole(readTable(file, { columns }))).map(({ boxes }) => boxes)).toEqual([
      [],
      [1, 0],
      [2, 0, 2, 1],
      [3, 0, 3, 1, 3, 2],
    ])
  })
})

describe("asked types", () => {
  const type = (name: ColumnType["name"]): ColumnType => ({ name })

  it("change no value without a word", async () => {
    const file = at("asked.parquet")
    await writeParquet(file.path, 3, "i AS id, i * 1.0::DOUBLE AS whole, i + 0.5::DOUBLE AS part, '0' || i AS code")
    const columns = [
      { name: "id", as: "name", type: type("TEXT") },
      { name: "whole", type: type("INT32") },
      { name: "code", type: type("INT64") },
      { name: "both", sql: '"id" + "part"', type: type("FLOAT32") },
    ]
    expect(plainRows(await whole(readTable(file, { columns })))).toEqual(
      [0, 1, 2].map((i) => ({ name: String(i), whole: i, code: BigInt(i), both: i * 2 + 0.5 })),
    )
    await expect(whole(readTable(file, { columns: [{ name: "part", type: type("INT64") }] }))).rejects.toThrow(
      /column "part", row 0: expected INT64, found the text "0.5"/,
    )
    await expect(whole(readTable(file, { columns: [{ name: "id", type: type("IMAGE") }] }))).rejects.toThrow(
      /asked\.parquet: Column "id": expected what can become IMAGE, found BIGINT/,
    )
  })
})

describe("ranges of rows", () => {
  it("give every row once, in order, wherever they begin", async () => {
    const file = at("ranges.parquet")
    await writeParquet(file.path, 10_000, "i, 'row ' || i AS t", ", ROW_GROUP_SIZE 2048")
    const ids: unknown[] = []
    for (const [start, end] of [
      [0, 1],
      [1, 2048],
      [2048, 4097],
      [4097, 9999],
      [9999, 10_000],
      [10_000, 20_000],
    ] as const) {
      for await (const batch of readTable(file, { rows: { start, end }, batchRows: 1000 })) {
        ids.push(...(batch.columns.get("i")?.values ?? []))
      }
    }
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, row) => BigInt(row)))
  })
})

describe("a stream that fails", () => {
  it("is not taken for one that has ended", async () => {
    const file = at("late.parquet")
    await writeParquet(file.path, 400_000, "CASE WHEN i = 399999 THEN 'x' ELSE i::VARCHAR END AS t")
    let rows = 0
    const read = async (): Promise<void> => {
      for await (const batch of readTable(file, { columns: [{ name: "t", type: { name: "INT64" } }] }))
        rows += batch.rows
    }
    await expect(read()).rejects.toThrow(/column "t", row 399999: expected INT64, found the text "x"/)
    expect(rows).toBeLessThan(400_000)
  })

  it("is cut by a signal, or by nobody asking for more", async () => {
    const file = at("cut.parquet")
    await writeParquet(file.path, 200_000, "i")
    const abort = new AbortController()
    const read = async (): Promise<void> => {
      for await (const _ of readTable(file, { signal: abort.signal })) abort.abort(new Error("enough"))
    }
    await expect(read()).rejects.toThrow("enough")
    for await (const batch of readTable(file)) {
      expect(batch.rows).toBeGreaterThan(0)
      break
    }
    expect((await whole(readTable(file))).rows).toBe(200_000)
  })
})

describe("a description", () => {
  it("has the footer and its metadata", async () => {
    const file = at("meta.parquet")
    await writeParquet(file.path, 5000, "i", `, ROW_GROUP_SIZE 2048, KV_METADATA {huggingface: '{"ü":1}'}`)
    const { footer } = await describeTable(file)
    expect(footer).toMatchObject({ rows: 5000, rowGroups: 3 })
    expect(footer?.metadata.get("huggingface")).toBe('{"ü":1}')
  })

  it("takes a name with glob characters, and a folder with an equals sign, literally", async () => {
    await sql(
      `COPY (SELECT 1 AS a) TO '${folder}' (FORMAT parquet, PARTITION_BY (a), WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE)`,
    )
    const path = join(folder, "a=1", "[x]*?'.parquet")
    await sql(`COPY (SELECT 2 AS b) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`)
    expect(plainRows(await whole(readTable({ path, format: "parquet" })))).toEqual([{ b: 2 }])
  })
})

describe("what is no Parquet file", () => {
  it.each([
    ["an empty file", "", /empty\.parquet: Expected a table, found an empty file/],
    [
      "a Git LFS pointer",
      `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`,
      /Expected the file itself \(12345 bytes\), found the Git LFS pointer to it; fetch it with: git lfs pull/,
    ],
    ["text", "id,name\n1,a\n", /Expected a Parquet file \(it begins with PAR1\), found one that begins with "id,n"/],
    ["garbage between the signs", "PAR1garbage of some lengthPAR1", /empty\.parquet: /],
  ])("such as %s is said to be that", async (_, content, message) => {
    const file = at("empty.parquet")
    await writeFile(file.path, content)
    await expect(whole(readTable(file))).rejects.toThrow(message)
    await expect(describeTable(file)).rejects.toThrow(message)
  })

  it("such as a file that is cut off, or missing", async () => {
    const file = at("short.parquet")
    await writeParquet(file.path, 1000, "i")
    await truncate(file.path, 900)
    await expect(describeTable(file)).rejects.toThrow(/short\.parquet: The Parquet file is cut off/)
    await expect(describeTable(at("missing.parquet"))).rejects.toThrow(/^File not found: .*missing\.parquet$/)
  })

  it("such as a file whose footer says of fewer rows than there are", async () => {
    const file = at("fewer.parquet")
    await writeParquet(file.path, 60, "i")
    const bytes = await readFile(file.path)
    // The field num_rows (i64, zigzag) stands before the list of row groups.
    const place = bytes.lastIndexOf(Buffer.from([0x16, 120, 0x19])) + 1
    bytes[place] = 80
    await writeFile(file.path, bytes)
    await expect(describeTable(file)).rejects.toThrow(/its footer says that it has 40 rows, and its row groups 60/)
  })
})
