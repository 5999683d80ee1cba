import fc from "fast-check"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { type Batch, batchOf, concatBatches, schemaOf, sliceBatch, transferable } from "../../src/model/batch.ts"
import { bytesColumn, int32Column, numberColumn, type Value, valueAt } from "../../src/model/column.ts"
import { IngestError } from "../../src/model/errors.ts"
import { build, type Sample, sample, valuesOf } from "../fixtures/columns.ts"

const plain = (batch: Batch): Readonly<Record<string, readonly Value[]>> =>
  Object.fromEntries([...batch.columns].map(([name, column]) => [name, valuesOf(column)]))

/** The samples as columns of one batch, cut to the shortest. */
const batchOfSamples = (parts: readonly Sample[]): { batch: Batch; model: Record<string, readonly Value[]> } => {
  const rows = Math.min(...parts.map((part) => part.values.length))
  const cut = parts.map(({ type, values }) => ({ type, values: values.slice(0, rows) }))
  return {
    batch: batchOf(Object.fromEntries(cut.map((part, index) => [`c${index}`, build(part)]))),
    model: Object.fromEntries(cut.map((part, index) => [`c${index}`, part.values])),
  }
}

const someColumns = fc.array(sample, { minLength: 1, maxLength: 4 })

describe("batches", () => {
  it("refuses columns of different length, and names them", () => {
    const columns = { a: int32Column([1, 2]), b: int32Column([1]) }
    expect(() => batchOf(columns)).toThrow(IngestError)
    expect(() => batchOf(columns)).toThrow(/"a" has 2 rows, "b" has 1/)
  })

  it("slices all columns alike", () => {
    fc.assert(
      fc.property(someColumns, fc.nat(), fc.nat(), (parts, a, b) => {
        const { batch, model } = batchOfSamples(parts)
        const [start, end] = [a % (batch.rows + 1), b % (batch.rows + 1)].sort((x, y) => x - y) as [number, number]
        const slice = sliceBatch(batch, start, end)
        expect(slice.rows).toBe(end - start)
        expect(plain(slice)).toEqual(
          Object.fromEntries(Object.entries(model).map(([name, values]) => [name, values.slice(start, end)])),
        )
      }),
    )
  })

  it("puts the pieces of a batch together again", () => {
    fc.assert(
      fc.property(someColumns, fc.nat(), (parts, at) => {
        const { batch, model } = batchOfSamples(parts)
        const middle = at % (batch.rows + 1)
        const whole = concatBatches([sliceBatch(batch, 0, middle), sliceBatch(batch, middle, batch.rows)])
        expect(plain(whole)).toEqual(model)
        expect(schemaOf(whole)).toEqual(schemaOf(batch))
      }),
    )
  })

  it("fills a column that a batch lacks with nulls", () => {
    fc.assert(
      fc.property(sample, sample, (left, right) => {
        const batches = [batchOf({ left: build(left) }), batchOf({ right: build(right) })]
        expect(plain(concatBatches(batches))).toEqual({
          left: [...left.values, ...right.values.map(() => null)],
          right: [...left.values.map(() => null), ...right.values],
        })
      }),
    )
  })

  it("crosses threads whole, and a view does not take along what it is a view of", () => {
    fc.assert(
      fc.property(sample, (one) => {
        const values = structuredClone(one.values)
        const large = Int32Array.from({ length: values.length + 8 }, (_, row) => row)
        const view = numberColumn(large.subarray(4, 4 + values.length), { name: "INT32" })
        const { batch, buffers } = transferable(batchOf({ whole: build(one), view }))
        const arrived = structuredClone(batch, { transfer: buffers })
        expect(plain(arrived)).toEqual({ whole: values, view: values.map((_, row) => row + 4) })
        expect(large).toHaveLength(values.length + 8)
      }),
    )
  })

  it("copies what lies in Node's shared pool, which cannot be transferred", () => {
    const pooled = Buffer.from("a few bytes")
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.byteLength)
    const { batch, buffers } = transferable(batchOf({ data: bytesColumn([pooled], { name: "BINARY" }) }))
    const arrived = structuredClone(batch, { transfer: buffers }).columns.get("data")
    expect(arrived && valueAt(arrived, 0)).toEqual(new TextEncoder().encode("a few bytes"))
    expect(pooled.toString()).toBe("a few bytes")
  })

  it("copies what belongs to a native library", async () => {
    const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .raw()
      .toBuffer()
    const { batch, buffers } = transferable(batchOf({ data: bytesColumn([picture], { name: "BINARY" }) }))
    const arrived = structuredClone(batch, { transfer: buffers }).columns.get("data")
    expect(arrived && valueAt(arrived, 0)).toEqual(new Uint8Array(picture))
  })
})
