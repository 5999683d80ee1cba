import { describe, expect, it } from "vitest"
import { type Batch, concatBatches } from "../../src/model/batch.ts"
import { valueAt } from "../../src/model/column.ts"
import { ConfigError, IngestError } from "../../src/model/errors.ts"
import type { Feed } from "../../src/model/feed.ts"
import type { Columns } from "../../src/model/format.ts"
import type { Item } from "../../src/model/item.ts"
import { formatType } from "../../src/model/types.ts"
import { type ColumnsOptions, columns } from "../../src/sources/columns.ts"
import { collect } from "../fixtures/collect.ts"
import { contextOf } from "../fixtures/context.ts"

const signal = new AbortController().signal

const itemsOf = ({ source }: Feed): Promise<Item[]> => collect(source.items({ signal, warn: () => {} }))

const batchesOf = async ({ code }: Feed, item: Item): Promise<Batch[]> => {
  if (!("normalize" in code)) throw new Error("columns are normalized where they are")
  const batches: Batch[] = []
  for await (const { batch } of code.normalize(item, {}, contextOf())) batches.push(batch)
  return batches
}

const everything = async (data: Columns, options?: ColumnsOptions) => {
  const made = columns(data, options)
  const items = await itemsOf(made)
  const batches: Batch[] = []
  for (const item of items) batches.push(...(await batchesOf(made, item)))
  return { items, batches, whole: concatBatches(batches) }
}

const typesOf = (batch: Batch): Readonly<Record<string, string>> =>
  Object.fromEntries([...batch.columns].map(([name, { type }]) => [name, formatType(type)]))

describe("columns", () => {
  it("gives every row once, in order, in items and batches of bounded size", async () => {
    const rows = 250_000
    const data = {
      number: Array.from({ length: rows }, (_, row) => row),
      text: Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? null : `row ${row}`)),
      score: Float32Array.from({ length: rows }, (_, row) => row / 2),
    }
    const { items, batches, whole } = await everything(data)
    expect(items.map(({ payload }) => payload)).toEqual([
      { start: 0, end: 100_000 },
      { start: 100_000, end: 200_000 },
      { start: 200_000, end: 250_000 },
    ])
    expect(Math.max(...batches.map((batch) => batch.rows))).toBeLessThanOrEqual(10_000)
    expect(whole.rows).toBe(rows)
    const [number, text, score] = [...whole.columns.values()]
    let wrong = 0
    for (let row = 0; row < rows; row++) {
      if (number?.values[row] !== BigInt(row) || score?.values[row] !== row / 2) wrong++
      if (text && valueAt(text, row) !== data.text[row]) wrong++
    }
    expect(wrong).toBe(0)
  })

  it("cuts by bytes where rows are large, and one row is always possible", async () => {
    const image = new Uint8Array(3 * 2 ** 20)
    const { items, batches } = await everything({ image: new Array(30).fill(image) })
    expect(items.length).toBeGreaterThan(2)
    expect(items.every(({ bytes }) => bytes <= 32 * 2 ** 20)).toBe(true)
    expect(Math.max(...batches.map((batch) => batch.rows))).toBeLessThanOrEqual(2)
    const uneven = new Array(1000).fill("x").with(501, "y".repeat(10 * 2 ** 20))
    expect((await everything({ uneven })).batches.map((batch) => batch.rows)).toEqual([502, 498])
  })

  it("hands on typed arrays without a copy", async () => {
    const values = new Float64Array(20_000)
    const { batches } = await everything({ values })
    expect(batches.length).toBeGreaterThan(1)
    for (const batch of batches) expect(batch.columns.get("values")?.values.buffer).toBe(values.buffer)
  })

  it("infers each type from all values, so that no batch differs from another", async () => {
    const rows = 120_000
    const last = <T>(value: T, end: unknown): unknown[] => new Array<unknown>(rows).fill(value).with(-1, end)
    const { whole, batches } = await everything({
      widened: last(1, 0.5),
      late: last(null, "here"),
      ragged: last([1, 2], [1]),
      never: last(null, undefined),
    })
    expect(typesOf(whole)).toEqual({ widened: "FLOAT64", late: "TEXT", ragged: "JSON" })
    for (const batch of batches) expect(typesOf(batch)).toEqual(typesOf(whole))
  })

  it("takes the types of the schema before those of the values", async () => {
    const data = { image: [Uint8Array.of(1)], label: [3], vector: [[1, 2]], empty: [null] }
    const schema = { image: "IMAGE", label: "class_label", vector: "EMBEDDING", empty: "TEXT" }
    const { whole } = await everything(data, { schema })
    expect(typesOf(whole)).toEqual({ image: "IMAGE", label: "CLASS_LABEL", vector: "EMBEDDING(2)", empty: "TEXT" })
  })

  it("names items anew in every call, and the same way in every listing of one", async () => {
    const data = { a: [1] }
    const made = columns(data, { name: "mine" })
    const ids = async (one: Feed): Promise<string[]> => (await itemsOf(one)).map(({ id }) => id)
    expect(made.source).toMatchObject({ name: "mine", total: 1 })
    expect(await ids(made)).toEqual(await ids(made))
    expect(await ids(made)).not.toEqual(await ids(columns(data)))
    expect((await ids(made))[0]).toMatch(/^columns:[0-9a-f-]{36}:0$/)
  })

  it("has no items for no rows", async () => {
    expect((await everything({ a: [], b: new Int32Array() })).items).toEqual([])
  })

  it("refuses a bad value before anything is listed, with its row", () => {
    const values = new Array<unknown>(150_000).fill(1).with(149_999, 1.5)
    const run = (): unknown => columns({ a: values }, { schema: { a: "INT64" } })
    expect(run).toThrow(IngestError)
    expect(run).toThrow(/^Column "a", row 149999: expected INT64 .* found 1\.5/)
  })

  it("names the row of the data when an array was changed meanwhile", async () => {
    const values = new Array<unknown>(150_000).fill(1)
    const made = columns({ a: values })
    const [, second] = await itemsOf(made)
    values[120_000] = "changed"
    await expect(second && batchesOf(made, second)).rejects.toThrow(/^Column "a", row 120000: expected INT64/)
  })

  it.each<[string, unknown, ColumnsOptions, typeof IngestError | typeof ConfigError, RegExp]>([
    ["no columns", {}, {}, IngestError, /^data must not be empty/],
    ["a list", [1], {}, IngestError, /^data must be a dict/],
    ["different lengths", { a: [1], b: [] }, {}, IngestError, /"a" has 1 values, "b" has 0/],
    ["nothing but nulls", { a: [null] }, {}, IngestError, /^All values are null: .* a in "schema"/],
    ["a type that does not exist", { a: [1] }, { schema: { a: "NUMBER" } }, ConfigError, /found "NUMBER"/],
    [
      "a schema for other data",
      { a: [1] },
      { schema: { b: "TEXT" } },
      ConfigError,
      /"b" is not in the data, which has a/,
    ],
    ["a reserved name", { _item: [1] }, {}, ConfigError, /"_item" is reserved/],
  ])("refuses %s", (_, data, options, kind, message) => {
    const run = (): unknown => columns(data as Columns, options)
    expect(run).toThrow(kind)
    expect(run).toThrow(message)
  })

  it("ends when the run is stopped", async () => {
    const made = columns({ a: [1] })
    const aborted = AbortSignal.abort(new Error("stop"))
    await expect(collect(made.source.items({ signal: aborted, warn: () => {} }))).rejects.toThrow("stop")
  })
})
