import { beforeAll, describe, expect, it } from "vitest"
import { createIndex } from "../../src/dataset/indexes.ts"
import { type ReadOptions, readRows } from "../../src/dataset/rows.ts"
import type { Row } from "../../src/dataset/scan.ts"
import { boolColumn, bytesColumn, numberColumn, textColumn, vectorColumn } from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { lance } from "../../src/sinks/lance.ts"
import { commitItems, writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const pattern = (row: number, size: number): Uint8Array => new Uint8Array(size).fill(row % 251)

const sizes = Array.from({ length: 150 }, (_, row) => (row % 7 === 3 ? null : row === 40 ? 3 << 20 : row * 100))

let uri = ""

const read = async (name: string, options?: ReadOptions): Promise<Row[]> => {
  const rows: Row[] = []
  for await (const row of readRows(uri, name, options)) rows.push(row)
  return rows
}

beforeAll(async () => {
  uri = await tempFolder()
  await writeTable(uri, "types", [
    [
      "a",
      {
        text: textColumn(["x", null]),
        big: numberColumn(BigInt64Array.of(2n ** 60n, -5n), { name: "INT64" }),
        flag: boolColumn([null, true]),
        meta: textColumn(['{"a":1}', null], { name: "JSON" }),
        vector: vectorColumn([null, [1, 2]], { name: "EMBEDDING", size: 2 }),
        image: bytesColumn([Uint8Array.of(1, 2), null], { name: "IMAGE" }),
        video: bytesColumn([null, Uint8Array.of(3)], { name: "VIDEO", blob: true }),
      },
    ],
  ])
  const values = sizes.map((size, row) => (size === null ? null : pattern(row, size)))
  const writer = await lance({ uri, table: "wide" }).open({ create: "new" })
  for (let start = 0; start < 150; start += 50) {
    const part = values.slice(start, start + 50)
    await commitItems(writer, [
      [
        `item-${start}`,
        {
          image: bytesColumn(part, { name: "IMAGE" }),
          video: bytesColumn(part, { name: "VIDEO", blob: true }),
        },
      ],
    ])
  }
  await writer.remove({ items: [{ item: "item-0" }] })
  await writer.close()
})

describe("readRows", () => {
  it("gives plain values, without hidden columns and those stored out of line", async () => {
    expect(await read("types")).toEqual([
      { text: "x", big: 2n ** 60n, flag: null, meta: '{"a":1}', vector: null, image: Uint8Array.of(1, 2) },
      { text: null, big: -5, flag: true, meta: null, vector: Float32Array.of(1, 2), image: null },
    ])
  })

  it("gives the columns that are named, in that order", async () => {
    const [row = {}] = await read("types", { columns: ["video", "_row", "text"], offset: 1 })
    expect(Object.entries(row)).toEqual([
      ["video", Uint8Array.of(3)],
      ["_row", 1],
      ["text", null],
    ])
    const [hidden] = await read("types", { columns: ["text"], hidden: true, limit: 1 })
    expect(hidden).toEqual({ _item: "a", _version: "1", _row: 0, _commit: 1, _end: false, text: "x" })
    expect(await read("types", { columns: [] })).toEqual([{}, {}])
  })

  it("filters, skips and limits", async () => {
    const options = { columns: ["_item", "_row"], where: "_row >= 10 AND _row < 20" }
    expect(await read("wide", { ...options, offset: 8, limit: 4 })).toEqual([
      { _item: "item-50", _row: 18 },
      { _item: "item-50", _row: 19 },
      { _item: "item-100", _row: 10 },
      { _item: "item-100", _row: 11 },
    ])
    expect(await read("wide", { limit: 0 })).toEqual([])
    expect(await read("wide", { ...options, offset: 100 })).toEqual([])
  })

  it("puts bytes of either storage beside the row to which they belong", async () => {
    const rows = await read("wide", { columns: ["_item", "_row", "image", "video"] })
    expect(rows).toHaveLength(100)
    rows.forEach((row, index) => {
      const size = sizes[index + 50] ?? null
      const expected = size === null ? null : pattern(index + 50, size)
      expect(row).toEqual({ _item: row._item, _row: index % 50, image: expected, video: expected })
    })
  })

  it("can be left early, and sees the table as it was when it began", async () => {
    const rows = readRows(uri, "types", { columns: ["text"] })
    const first = await rows.next()
    await writeTable(uri, "types", [["b", { text: textColumn(["new"]) }]])
    expect(first.value).toEqual({ text: "x" })
    expect(await Promise.all([rows.next(), rows.next()])).toMatchObject([{ value: { text: null } }, { done: true }])
    for await (const row of readRows(uri, "types", { columns: ["text"] })) {
      expect(row).toEqual({ text: "x" })
      break
    }
  })

  it("says what is wrong with a request", async () => {
    await expect(read("types", { columns: ["nope"] })).rejects.toThrow(
      /"types" has no column "nope" .*; it has .*big INT64/,
    )
    await expect(read("nope")).rejects.toThrow(TableError)
    await expect(read("types", { limit: -1 })).rejects.toThrow(ConfigError)
    await expect(read("types", { offset: 0.5 })).rejects.toThrow(/offset: expected a whole number of at least 0/)
    for (const where of ["nope = 1", "text =", "text"]) {
      await expect(read("types", { where })).rejects.toThrow(ConfigError)
    }
  })
})

it("finds the rows that a NOT means, nulls or not, on columns with an index, too", async () => {
  const n = numberColumn(Int32Array.of(0, 1, 2, 5), { name: "INT32" })
  const nullable = { ...n, valid: Uint8Array.of(0b1110) }
  const flag = boolColumn([null, true, false, true])
  await writeTable(uri, "gaps", [
    ["a", { n: nullable, flag, row: numberColumn(Int32Array.of(0, 1, 2, 3), { name: "INT32" }) }],
  ])
  for (const column of ["n", "flag"]) await createIndex(uri, "gaps", column, {})
  for (const [where, found] of [
    ["NOT (n > 1 AND n < 5)", [1, 3]],
    ["not (n = 1 OR flag)", [2]],
    ["NOT (n BETWEEN 1 AND 2)", [3]],
    ["NOT (flag IS TRUE)", [0, 2]],
  ] as const) {
    expect(
      (await read("gaps", { where })).map(({ row }) => row),
      where,
    ).toEqual(found)
  }
})
