import { beforeAll, describe, expect, it } from "vitest"
import { Client } from "../../src/client.ts"
import { createIndex, listIndexes } from "../../src/dataset/indexes.ts"
import { readRows } from "../../src/dataset/rows.ts"
import {
  boolColumn,
  bytesColumn,
  floatsColumn,
  numberColumn,
  textColumn,
  vectorColumn,
} from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { lance } from "../../src/sinks/lance.ts"
import { acquireLock } from "../../src/store/lock.ts"
import { collect } from "../fixtures/collect.ts"
import { type ItemColumns, writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ROWS = 1200
const numbers = Array.from({ length: ROWS }, (_, row) => row)

const item = (name: string): ItemColumns => [
  name,
  {
    text: textColumn(numbers.map((n) => (n % 7 ? `running engine${n}` : null))),
    few: numberColumn(
      BigInt64Array.from(numbers, (n) => BigInt(n % 5)),
      { name: "INT64" },
    ),
    many: numberColumn(Int32Array.from(numbers), { name: "INT32" }),
    weight: numberColumn(Float64Array.from(numbers), { name: "FLOAT64" }),
    flag: boolColumn(numbers.map((n) => n % 2 === 0)),
    label: numberColumn(
      Int32Array.from(numbers, (n) => n % 3),
      { name: "CLASS_LABEL", names: ["a", "b", "c"] },
    ),
    vector: vectorColumn(
      numbers.map((n) => [Math.cos(n), Math.sin(n)]),
      { name: "EMBEDDING", size: 2 },
    ),
    box: floatsColumn(
      numbers.map((n) => [n, n]),
      { name: "BOUNDING_BOX" },
    ),
    image: bytesColumn(
      numbers.map(() => new Uint8Array(1)),
      { name: "IMAGE" },
    ),
    notes: textColumn(
      numbers.map(() => "{}"),
      { name: "JSON" },
    ),
  },
]

let uri = ""
const covered = async (column: string) =>
  (await listIndexes(uri, "t"))
    .filter((index) => index.column === column)
    .map(({ type, indexedRows, unindexedRows }) => [type, indexedRows, unindexedRows])
const made = async (column: string, options = {}) => {
  const { type, built } = await createIndex(uri, "t", column, options)
  return [type, built]
}

beforeAll(async () => {
  uri = await tempFolder()
  await writeTable(uri, "t", [item("first")])
})

describe("createIndex", () => {
  it("makes the index of the column's type, once", async () => {
    const types = { text: "BM25", few: "BITMAP", many: "BTREE", weight: "BTREE", flag: "BITMAP", label: "BITMAP" }
    for (const [column, type] of Object.entries(types)) {
      expect(await made(column), column).toEqual([type, true])
      expect(await made(column), column).toEqual([type, false])
      expect(await covered(column), column).toEqual([[type, ROWS, 0]])
    }
    const filtered = await collect(readRows(uri, "t", { where: "few = 3 AND many < 10", columns: ["many"] }))
    expect(filtered).toEqual([{ many: 3 }, { many: 8 }])
  })

  it("makes none for few vectors, and says why; one where it is asked for", async () => {
    const few = await createIndex(uri, "t", "vector")
    expect(few).toMatchObject({ built: false, reason: expect.stringContaining("1200 rows are compared one by one") })
    expect(await covered("vector")).toEqual([])
    expect(await made("vector", { partitions: 8 })).toEqual(["IVF_FLAT", true])
    expect(await made("vector")).toEqual(["IVF_FLAT", false])
  })

  it("covers rows that came since, keeps how it was built, and changes only what is asked", async () => {
    expect(await made("text", { stem: true, stopWords: ["the"] })).toEqual(["BM25", true])
    await writeTable(uri, "t", [item("second")])
    expect(await covered("text")).toEqual([["BM25", ROWS, ROWS]])
    expect(await covered("many")).toEqual([["BTREE", ROWS, ROWS]])
    // A run that names the columns, and a call, do the same.
    const writer = await lance({ uri, table: "t", index: ["text", "many"] }).open({ create: "if-missing" })
    await writer.finish()
    await writer.close()
    expect(await covered("many")).toEqual([["BTREE", 2 * ROWS, 0]])
    const [index] = (await listIndexes(uri, "t")).filter(({ column }) => column === "text")
    expect(index).toMatchObject({
      unindexedRows: 0,
      details: { stem: true, remove_stop_words: true, custom_stop_words: ["the"], language: "English" },
    })
    expect(await made("few")).toEqual(["BITMAP", true])
    expect(await made("text", { stem: true })).toEqual(["BM25", false])
    expect(await made("text", { stem: false, stopWords: false })).toEqual(["BM25", true])
    // The values of a column, beside its words.
    expect(await made("text", { type: "BTREE" })).toEqual(["BTREE", true])
    expect((await covered("text")).map(([type]) => type).sort()).toEqual(["BM25", "BTREE"])
    expect(await made("text")).toEqual(["BM25", false])
  })

  it("names the column, and why not", async () => {
    const problem = async (column: string, options = {}) =>
      createIndex(uri, "t", column, options).then(
        () => "built",
        (error: Error) => `${error.name}: ${error.message}`,
      )
    expect(await problem("image")).toMatch(/TableError: Index creation failed: column "image" is IMAGE.*no index.*TEXT/)
    expect(await problem("notes")).toMatch(/column "notes" is JSON, which can have no index/)
    expect(await problem("box")).toMatch(/column "box" is BOUNDING_BOX/)
    expect(await problem("nope")).toMatch(
      /Index creation failed: column "nope" is not there; the table has (?!_).*text/,
    )
    expect(await problem("weight", { type: "BM25" })).toMatch(/"weight" is FLOAT64, which can have BTREE, not BM25/)
    expect(await problem("many", { stem: true })).toMatch(/stem, language and stopWords are for BM25, not for BTREE/)
    expect(await problem("many", { partitions: 2 })).toMatch(/partitions are for IVF_FLAT/)
    expect(await problem("text", { language: "klingon" })).toMatch(
      /ConfigError: language: expected one of Arabic, .*"klingon"/,
    )
    expect(await problem("text", { language: "greek", stopWords: true })).toBe("built")
    await expect(createIndex(uri, "t", "vector", { partitions: 0.5 })).rejects.toThrow(ConfigError)
    await expect(createIndex(uri, "a__b", "text")).rejects.toThrow(ConfigError)
    await expect(createIndex(uri, "nope", "text")).rejects.toThrow(TableError)
    await expect(createIndex(`${uri}/nope`, "t", "text")).rejects.toThrow(/there is no folder/)
  })

  it("waits for no writer", async () => {
    const lock = await acquireLock(uri, "t")
    await expect(new Client({ uri }).createIndex("t", "weight")).rejects.toThrow(TableError)
    await lock.release()
    expect(await new Client({ uri }).createIndex("t", "weight")).toMatchObject({ type: "BTREE" })
  })
})
