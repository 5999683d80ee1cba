import { join } from "node:path"
import fc from "fast-check"
import { beforeAll, describe, expect, it } from "vitest"
import { type Batch, batchOf, schemaOf } from "../../src/model/batch.ts"
import {
  bytesColumn,
  type Column,
  int32Column,
  numberColumn,
  textColumn,
  type Value,
  vectorColumn,
} from "../../src/model/column.ts"
import { dice } from "../../src/model/dice.ts"
import { createParquet } from "../../src/parquet/writer.ts"
import { build, sample, valuesOf } from "../fixtures/columns.ts"
import { sql, sqlValues } from "../fixtures/duckdb.ts"
import { tempFolder } from "../fixtures/temp.ts"

let folder = ""
let files = 0

beforeAll(async () => {
  folder = await tempFolder()
})

const write = async (...batches: readonly Batch[]): Promise<string> => {
  const path = join(folder, `${files++}.parquet`)
  const schema = new Map(batches.flatMap((batch) => [...schemaOf(batch)]))
  const file = await createParquet(path, schema)
  for (const batch of batches) await file.write(batch)
  await file.close()
  return path
}

/** What DuckDB should give back. */
const expected = (batch: Batch): Record<string, unknown>[] => {
  const cell = (column: Column, row: number): Value | number[] | number[][] => {
    const value = valuesOf(column)[row] ?? null
    if (value instanceof Float32Array) return [...value]
    if (value instanceof Uint8Array) return new Uint8Array(value)
    return typeof value === "object" && value !== null ? value.map((vector) => [...vector]) : value
  }
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries([...batch.columns].map(([name, column]) => [name, cell(column, row)])),
  )
}

/** Buffers as plain arrays of bytes. */
const plain = (rows: readonly Record<string, unknown>[]): Record<string, unknown>[] =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? new Uint8Array(value) : value]),
    ),
  )

describe("values", () => {
  it("reads back as written, for every layout, with nulls anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sample, { minLength: 1, maxLength: 5 }), async (samples) => {
        const rows = Math.min(...samples.map(({ values }) => values.length))
        const batch = batchOf(
          Object.fromEntries(
            samples.map(({ type, values }, at) => [`c${at}`, build({ type, values: values.slice(0, rows) })]),
          ),
        )
        const path = await write(batch)
        expect(plain(await sql(`from '${path}'`))).toEqual(expected(batch))
      }),
      { numRuns: 80 },
    )
  })

  it("fills columns that a batch lacks with nulls, and takes batches of any size", async () => {
    const path = await write(
      batchOf({ a: int32Column([1]), b: textColumn(["x"]) }),
      batchOf({ a: int32Column([]) }),
      batchOf({ b: textColumn(["y", null]) }),
    )
    expect(await sql(`from '${path}'`)).toEqual([
      { a: 1, b: "x" },
      { a: null, b: "y" },
      { a: null, b: null },
    ])
  })

  it("writes a table without rows", async () => {
    const path = await write(batchOf({ a: int32Column([]), v: vectorColumn([], { name: "EMBEDDING", size: 2 }) }))
    expect(await sql(`describe from '${path}'`)).toMatchObject([
      { column_name: "a", column_type: "INTEGER" },
      { column_name: "v", column_type: "FLOAT[]" },
    ])
    expect(await sqlValues(`select count(*) from '${path}'`)).toEqual([0n])
  })

  it("keeps pictures and videos as a struct of bytes and path, and null ones as null", async () => {
    const jpeg = Uint8Array.of(0xff, 0xd8, 0, 1, 2)
    const path = await write(
      batchOf({
        image: bytesColumn([jpeg, null, new Uint8Array()], { name: "IMAGE" }),
        video: bytesColumn([null, null, jpeg], { name: "VIDEO", blob: true }),
      }),
    )
    const file = (bytes: Uint8Array) => ({ bytes, path: null })
    const rows = await sql(`select hex(image.bytes) as bytes, image is null as missing from '${path}'`)
    expect(rows).toEqual([
      { bytes: "FFD8000102", missing: false },
      { bytes: null, missing: true },
      { bytes: "", missing: false },
    ])
    expect(await sql(`select image, video from '${path}'`)).toEqual([
      { image: file(Buffer.from(jpeg)), video: null },
      { image: null, video: null },
      { image: file(Buffer.alloc(0)), video: file(Buffer.from(jpeg)) },
    ])
  })
})

describe("row groups", () => {
  const groups = (path: string) =>
    sql(
      `select row_group_id as id, any_value(row_group_num_rows) as rows, sum(total_uncompressed_size)::double as bytes
       from parquet_metadata('${path}') group by all order by id`,
    )

  it("end after 131,072 rows", async () => {
    const rows = 50_000
    const batches = [0, 1, 2, 3].map((at) =>
      batchOf({
        n: numberColumn(
          Int32Array.from({ length: rows }, (_, row) => at * rows + row),
          { name: "INT32" },
        ),
      }),
    )
    const path = await write(...batches)
    expect(await groups(path)).toMatchObject([{ rows: 150_000n }, { rows: 50_000n }])
    expect(await sql(`select sum(n) as sum, count(distinct n) as n from '${path}'`)).toEqual([
      { sum: (200_000n * 199_999n) / 2n, n: 200_000n },
    ])
  })

  it("end after 64 MiB, so that a large value is never one of many", async () => {
    const video = (seed: number) => Buffer.alloc(10 << 20, seed)
    const path = await write(
      ...Array.from({ length: 15 }, (_, at) =>
        batchOf({ n: int32Column([at]), video: bytesColumn([video(at)], { name: "VIDEO", blob: true }) }),
      ),
    )
    const found = await groups(path)
    expect(found.map(({ rows }) => rows)).toEqual([7n, 7n, 1n])
    expect(Math.max(...found.map(({ bytes }) => Number(bytes)))).toBeLessThan(75 << 20)
    expect(
      await sql(`select n, md5(video.bytes) = md5(repeat(chr(n), 10 << 20)::blob) as same from '${path}'`),
    ).toEqual(Array.from({ length: 15 }, (_, n) => ({ n, same: true })))
  })

  it("know their smallest and largest numbers, by which readers skip them", async () => {
    const doubles = Float64Array.of(Number.NaN, 2.5, -7, 0)
    const path = await write(
      batchOf({
        i: int32Column([3, -9, 4, 5]),
        l: numberColumn(BigInt64Array.of(2n ** 62n, -1n, 0n, 1n), { name: "INT64" }),
        d: numberColumn(doubles, { name: "FLOAT64" }),
        f: numberColumn(Float32Array.of(0.5, 1, 2, 4), { name: "FLOAT32" }),
        none: numberColumn(new Float64Array(4).fill(Number.NaN), { name: "FLOAT64" }),
      }),
    )
    expect(await sql(`select stats_min_value as min, stats_max_value as max from parquet_metadata('${path}')`)).toEqual(
      [
        { min: "-9", max: "5" },
        { min: "-1", max: String(2n ** 62n) },
        { min: "-7.0", max: "2.5" },
        { min: "0.5", max: "4.0" },
        { min: null, max: null },
      ],
    )
    expect(await sql(`select i from '${path}' where d < 0`)).toEqual([{ i: 4 }])
  })
})

describe("size", () => {
  it("compresses text, and leaves alone what is compressed already", async () => {
    const next = dice(5)
    const noise = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(next() * 256)))
    const path = await write(
      batchOf({
        text: textColumn(Array.from({ length: 10 }, () => "the same words again and again ".repeat(1000))),
        image: bytesColumn(
          Array.from({ length: 10 }, () => noise),
          { name: "IMAGE" },
        ),
      }),
    )
    expect(
      await sql(
        `select path_in_schema as path, compression, total_compressed_size < 10000 as small from parquet_metadata('${path}')`,
      ),
    ).toEqual([
      { path: "text", compression: "ZSTD", small: true },
      { path: "image, bytes", compression: "UNCOMPRESSED", small: false },
      { path: "image, path", compression: "UNCOMPRESSED", small: true },
    ])
  })
})
