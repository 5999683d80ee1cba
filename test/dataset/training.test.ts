import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ahead } from "../../src/dataset/training/ahead.ts"
import { type Dataset, nullMask, openTable } from "../../src/dataset/training/index.ts"
import {
  boolColumn,
  bytesColumn,
  floatsColumn,
  int32Column,
  numberColumn,
  textColumn,
  vectorColumn,
  vectorsColumn,
} from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { columnOf } from "../../src/model/infer.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { commitItems, type ItemColumns, writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ROWS = 40_000
const KEPT = 36_000

let uri = ""
let numbers: Dataset

const numbered = (item: string, start: number, rows: number): ItemColumns => {
  const ids = Int32Array.from({ length: rows }, (_, row) => start + row)
  return [
    item,
    {
      id: numberColumn(ids, { name: "INT32" }),
      half: numberColumn(
        Float64Array.from(ids, (id) => id / 2),
        { name: "FLOAT64" },
      ),
      label: textColumn(Array.from(ids, (id) => `é${id % 3}`)),
    },
  ]
}

const pixels = (row: number): Uint8Array | null =>
  row % 5 === 3 ? null : Uint8Array.from({ length: 20 + (row % 400) * 11 }, (_, at) => row + at)

beforeAll(async () => {
  uri = await tempFolder()
  const writer = await lance({ uri, table: "numbers" }).open({ create: "if-missing" })
  for (let start = 0; start < ROWS; start += 4000) await commitItems(writer, [numbered(`i${start}`, start, 4000)])
  // What is deleted leaves gaps between the rows.
  await writer.remove({ items: [{ item: "i8000" }] })
  await writer.close()
  const rows = Array.from({ length: 700 }, (_, row) => row)
  await writeTable(uri, "pictures", [
    [
      "p",
      {
        id: int32Column(rows),
        image: bytesColumn(rows.map(pixels), { name: "IMAGE" }),
        video: bytesColumn(
          rows.map((row) => pixels(row + 1)),
          { name: "VIDEO", blob: true },
        ),
      },
    ],
  ])
  numbers = await openTable(uri, "numbers")
})

afterAll(() => numbers.close())

type Ids = { readonly id: Int32Array }

const idsOf = async (batches: AsyncIterable<Ids>): Promise<number[]> => {
  const ids: number[] = []
  for await (const { id } of batches) for (const one of id) ids.push(one)
  return ids
}

const stored = Array.from({ length: ROWS }, (_, id) => id).filter((id) => id < 8000 || id >= 12_000)
const columns = ["id"]

describe("an epoch", () => {
  it("has the rows in the order in which they are stored, each once", async () => {
    expect(numbers.length).toBe(KEPT)
    expect(await idsOf(numbers.batches<Ids>(256))).toEqual(stored)
    const sizes: number[] = []
    for await (const { id, half, label } of numbers.batches<Ids & { half: Float64Array; label: string[] }>(10_000)) {
      expect(half).toEqual(Float64Array.from(id, (one) => one / 2))
      expect(label).toEqual(Array.from(id, (one) => `é${one % 3}`))
      sizes.push(id.length)
    }
    expect(sizes).toEqual([10_000, 10_000, 10_000, 6000])
    expect(await idsOf(numbers.batches<Ids>(10_000, { dropLast: true }))).toEqual(stored.slice(0, 30_000))
  })

  it("is a permutation when it is shuffled, the same for the same seed, in any process", async () => {
    const order = await idsOf(numbers.batches<Ids>(256, { shuffle: true, seed: 7 }))
    expect([...order].sort((a, b) => a - b)).toEqual(stored)
    // Another size, other columns and no prefetch change nothing.
    const again = numbers.batches<Ids>(999, { columns, shuffle: true, seed: 7, prefetch: 0 })
    expect(await idsOf(again)).toEqual(order)
    expect(await idsOf(numbers.batches<Ids>(256, { columns, shuffle: true, seed: 8 }))).not.toEqual(order)

    // Of neighbours, few stay so; and rows come from everywhere from the start.
    const neighbours = order.filter((id, at) => Math.abs(id - (order[at - 1] ?? 0)) === 1).length
    expect(neighbours).toBeLessThan(KEPT / 50)
    const quarters = new Set(order.slice(0, 256).map((id) => Math.floor(id / (ROWS / 4))))
    expect(quarters.size).toBe(4)

    const module = fileURLToPath(new URL("../../src/dataset/training/index.ts", import.meta.url))
    const code = `import { openTable } from ${JSON.stringify(module)}
import { createHash } from "node:crypto"
const dataset = await openTable(${JSON.stringify(uri)}, "numbers")
const hash = createHash("sha256")
for await (const { id } of dataset.batches(100, { columns: ["id"], shuffle: true, seed: 7 })) hash.update(id)
console.log(hash.digest("hex"))
await dataset.close()`
    const other = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code])
    expect(other.stdout.trim()).toBe(createHash("sha256").update(Int32Array.from(order)).digest("hex"))
  })

  it.each([
    ["in order", {}],
    ["with a condition", { where: "id % 2 = 0" }],
    ["shuffled", { shuffle: true, seed: 3 }],
    ["shuffled, with a condition", { shuffle: true, seed: 3, where: "id % 2 = 0" }],
  ])("goes on where it was left, %s", async (_, options) => {
    const whole = await idsOf(numbers.batches<Ids>(300, { columns, ...options }))
    const epoch = numbers.batches<Ids>(300, { columns, ...options })
    for (const after of [1, 17, 58]) {
      const seen: number[] = []
      let left = after
      for await (const { id } of epoch) {
        seen.push(...id)
        if (--left === 0) break
      }
      const { position, seed } = epoch
      expect(position).toBe(after * 300)
      const rest = await idsOf(numbers.batches<Ids>(300, { columns, ...options, seed, position }))
      expect([...seen, ...rest]).toEqual(whole)
    }
    expect(await idsOf(numbers.batches<Ids>(300, { columns, ...options, position: whole.length }))).toEqual([])
  })

  it("is a stream, too", async () => {
    const epoch = numbers.batches<Ids>(5000, { columns, position: 30_000 })
    expect(await idsOf(epoch.toWeb())).toEqual(stored.slice(30_000))
    expect(await idsOf(epoch.toNode())).toEqual(stored.slice(30_000))
  })

  it("is read ahead, and no further than asked, while the loop works", async () => {
    let made = 0
    let ended = false
    const numbers = async function* () {
      try {
        for (; made < 100; made++) yield made
      } finally {
        ended = true
      }
    }
    for await (const number of ahead(numbers(), 2)) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      // The one that the loop has, two ahead, and the generator waits at the next one.
      expect(made).toBe(number + 2)
      if (number === 5) break
    }
    expect(ended).toBe(true)
  })

  it("stays at its version while a writer adds, removes and compacts", async () => {
    await writeTable(uri, "moving", [numbered("a", 0, 3000), numbered("b", 3000, 3000)])
    await using dataset = await openTable(uri, "moving")
    const seen: number[] = []
    for await (const { id } of dataset.batches<Ids>(500, { columns, shuffle: true, seed: 1, prefetch: 1 })) {
      if (seen.length === 500) {
        await writeTable(uri, "moving", [numbered("c", 6000, 100)])
        const db = await connect(uri)
        const table = await db.openTable("moving")
        await table.delete("id < 3000")
        await table.optimize()
        db.close()
      }
      seen.push(...id)
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 6000 }, (_, id) => id))
    expect(dataset.version).toBe(2)
    await using now = await openTable(uri, "moving")
    expect(now.length).toBe(3100)
    await using then = await openTable(uri, "moving", { at: 1 })
    expect(then.length).toBe(3000)
  })
})

describe("a batch", () => {
  it("has an array for each type, with nulls as they are defined", async () => {
    const label = columnOf("label", [2, null, 0], { name: "CLASS_LABEL", names: ["a", "b", "c"] })
    const int = columnOf("int", [null, 4, -5], { name: "INT32" })
    if (!label || !int) throw new Error("a given type always gives a column")
    await writeTable(uri, "types", [
      [
        "a",
        {
          text: textColumn(["x", null, "größer"]),
          meta: textColumn([null, "[1]", "{}"], { name: "JSON" }),
          int,
          big: numberColumn(BigInt64Array.of(2n ** 60n, -5n, 7n), { name: "INT64" }),
          real: columnOf("real", [0.5, null, 1], { name: "FLOAT32" }) ?? int,
          flag: boolColumn([true, null, false]),
          vector: vectorColumn([[1, 2], null, [3, 4]], { name: "EMBEDDING", size: 2 }),
          parts: vectorsColumn(
            [
              [
                [1, 2],
                [3, 4],
              ],
              null,
              [],
            ],
            { name: "MULTI_EMBEDDING", size: 2 },
          ),
          box: floatsColumn([[1, 2, 3, 4], null, []], { name: "BOUNDING_BOX" }),
          label,
          image: bytesColumn([Uint8Array.of(1), null, Uint8Array.of()], { name: "IMAGE" }),
        },
      ],
    ])
    await using dataset = await openTable(uri, "types")
    const expected = {
      text: ["x", null, "größer"],
      meta: [null, "[1]", "{}"],
      int: Int32Array.of(0, 4, -5),
      big: BigInt64Array.of(2n ** 60n, -5n, 7n),
      real: Float32Array.of(0.5, Number.NaN, 1),
      flag: Uint8Array.of(1, 0, 0),
      vector: Float32Array.of(1, 2, Number.NaN, Number.NaN, 3, 4),
      parts: [Float32Array.of(1, 2, 3, 4), null, Float32Array.of()],
      box: [Float32Array.of(1, 2, 3, 4), null, Float32Array.of()],
      label: Int32Array.of(2, -1, 0),
      image: [Uint8Array.of(1), null, Uint8Array.of()],
    }
    for await (const batch of dataset.batches()) {
      expect(batch).toEqual(expected)
      expect(nullMask(batch, "int")).toEqual(Uint8Array.of(1, 0, 0))
      expect(nullMask(batch, "flag")).toEqual(Uint8Array.of(0, 1, 0))
      expect(nullMask(batch, "big")).toBeUndefined()
    }
    expect(await dataset.rows([2, 0, 2], { columns: ["vector", "text"] })).toEqual({
      vector: Float32Array.of(3, 4, 1, 2, 3, 4),
      text: ["größer", "x", "größer"],
    })
    expect((await dataset.row(0)).parts).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)])
    expect(await dataset.row(0)).toMatchObject({ int: null, big: 2n ** 60n, flag: true, vector: Float32Array.of(1, 2) })
    expect(await dataset.row(1)).toMatchObject({ int: 4, big: -5, real: null, flag: null, label: null, image: null })
    expect(dataset.schema.get("vector")).toEqual({ name: "EMBEDDING", size: 2 })
    expect([...dataset.schema.keys()]).toEqual(Object.keys(expected))
    await expect(dataset.row(3)).rejects.toThrow(/from 0 to 2, found 3/)
  })

  it("has the bytes of its rows, in every order", async () => {
    await using dataset = await openTable(uri, "pictures")
    type Pictures = Ids & Record<"image" | "video", (Uint8Array | null)[]>
    const orders = [
      dataset.batches<Pictures>(64, { columns: ["video", "id", "image"] }),
      dataset.batches<Pictures>(64, { columns: ["video", "id", "image"], shuffle: true, seed: 2 }),
      (await dataset.sampleBy(new Float64Array(700).fill(1), { size: 900 })).batches<Pictures>(64, {
        columns: ["video", "id", "image"],
        shuffle: true,
        seed: 2,
      }),
    ]
    for (const order of orders) {
      for await (const { id, image, video } of order) {
        for (const [at, row] of id.entries()) {
          expect(Buffer.compare(image[at] ?? Buffer.of(), pixels(row) ?? Buffer.of())).toBe(0)
          expect(Buffer.compare(video[at] ?? Buffer.of(), pixels(row + 1) ?? Buffer.of())).toBe(0)
          expect([image[at] === null, video[at] === null]).toEqual([pixels(row) === null, pixels(row + 1) === null])
        }
      }
    }
    // What is stored out of line is read when it is asked for.
    for await (const batch of dataset.batches(700)) expect(Object.keys(batch)).toEqual(["id", "image"])
    expect((await dataset.row(9)).video).toEqual(pixels(10))
  })
})

describe("a view", () => {
  it("has the columns and rows that its query says", async () => {
    const view = await numbers.query(
      "SELECT half, ID WHERE label = 'é1' AND (\"half\" < 50 OR id BETWEEN 20000 AND 20010)",
    )
    const expected = stored.filter((id) => id % 3 === 1 && (id < 100 || (id >= 20_000 && id <= 20_010)))
    expect([...view.schema.keys()]).toEqual(["half", "id"])
    expect(view.length).toBe(expected.length)
    expect(await idsOf(view.batches<Ids>(7))).toEqual(expected)
    expect((await view.row(5)).id).toBe(expected[5])
    const shuffledIds = await idsOf(view.batches<Ids>(7, { shuffle: true, seed: 1 }))
    expect(shuffledIds).not.toEqual(expected)
    expect(shuffledIds.sort((a, b) => a - b)).toEqual(expected)

    const top = await view.query("SELECT id FROM numbers WHERE id > 10 ORDER BY half DESC LIMIT 5 OFFSET 1")
    expect(await idsOf(top.batches<Ids>(2))).toEqual(
      expected
        .filter((id) => id > 10)
        .toReversed()
        .slice(1, 6),
    )
    // What is picked can be narrowed again, and keeps or changes its order.
    const few = await top.query("SELECT * WHERE id < 20000")
    expect(await idsOf(few.batches<Ids>())).toEqual((await idsOf(top.batches<Ids>())).filter((id) => id < 20_000))
    const turned = await top.query("SELECT id ORDER BY id LIMIT 3")
    expect(await idsOf(turned.batches<Ids>())).toEqual((await idsOf(top.batches<Ids>())).toReversed().slice(0, 3))
    expect((await numbers.query("SELECT id LIMIT 0")).length).toBe(0)
  })

  it.each([
    ["SELECT id WHERE", /syntax error at end of input at position 16/],
    ["SELECT nope", /no column "nope"/],
    ["SELECT id WHERE nope = 1", /nope/],
    ["SELECT id + 1", /found an expression at position 8/],
    ["SELECT id AS other", /keep their names/],
    ["SELECT id FROM others", /its own table, numbers; found another one at position 16/],
    ["SELECT id GROUP BY id", /groupClause is nothing for a view/],
    ["SELECT id UNION SELECT id", /nothing for a view/],
    ["SELECT id WHERE id = $1", /placeholder at position 22/],
    ["SELECT id; SELECT id", /one SELECT/],
    ["DELETE FROM numbers", /one SELECT/],
    ["SELECT id LIMIT 1 + 1", /LIMIT is a whole number/],
  ])("refuses %s", async (sql, message) => {
    await expect(numbers.query(sql)).rejects.toThrow(message)
  })

  it("is split into parts that have no row in common and are all there", async () => {
    for (const dataset of [numbers, await numbers.query("SELECT id WHERE id % 7 = 0")]) {
      const parts = await dataset.randomSplit([0.7, 0.2, 0.1], 5)
      const sizes = [0.7, 0.2, 0.1].map((part) => Math.floor(part * dataset.length))
      const left = dataset.length - sizes.reduce((sum, size) => sum + size, 0)
      expect(parts.map(({ length }) => length)).toEqual(sizes.map((size, at) => size + (at < left ? 1 : 0)))
      const ids = await Promise.all(parts.map((part) => idsOf(part.batches<Ids>(500, { columns }))))
      for (const own of ids) expect(own).toEqual([...own].sort((a, b) => a - b))
      const all = await idsOf(dataset.batches<Ids>(500, { columns }))
      expect(ids.flat().sort((a, b) => a - b)).toEqual(all)
      const again = await dataset.randomSplit([0.7, 0.2, 0.1], 5)
      expect(await idsOf(again[2]?.batches<Ids>(500, { columns }) ?? numbers.batches(1))).toEqual(ids[2])
    }
    const counts = (await numbers.randomSplit([1, KEPT - 1])).map(({ length }) => length)
    expect(counts).toEqual([1, KEPT - 1])
    await expect(numbers.randomSplit([0.5, 0.4])).rejects.toThrow(/make 1 together/)
  })

  it("is drawn from by weights: a row comes as often as its share says", async () => {
    const all = await numbers.query("SELECT id, label WHERE id < 3000")
    const weights = Float64Array.from({ length: 3000 }, (_, id) => [0, 1, 2.5][id % 3] ?? 0)
    const sum = weights.reduce((a, b) => a + b, 0)
    for (const seed of [0, 1, 2]) {
      const size = 10_000
      const ids = await idsOf((await all.sampleBy(weights, { size, seed })).batches<Ids>(1000))
      const times = new Uint32Array(3000)
      for (const id of ids) times[id] = (times[id] ?? 0) + 1
      for (const [id, count] of times.entries()) {
        const share = (size * (weights[id] ?? 0)) / sum
        expect(count).toBeGreaterThanOrEqual(Math.floor(share))
        expect(count).toBeLessThanOrEqual(Math.ceil(share))
      }
      expect(ids.length).toBe(size)
    }
    // Without replacement: every row with a weight, when all of them are asked for; the likely ones before the others.
    const once = (size: number) => all.sampleBy(weights, { size, replacement: false, seed: 4 })
    expect(await idsOf((await once(2000)).batches<Ids>(500))).toEqual(stored.filter((id) => id < 3000 && id % 3 > 0))
    const some = await idsOf((await once(1000)).batches<Ids>(500))
    expect(new Set(some).size).toBe(1000)
    expect(some.filter((id) => id % 3 === 2).length).toBeGreaterThan(some.filter((id) => id % 3 === 1).length)
    await expect(once(2001)).rejects.toThrow(/at most 2000/)
    await expect(all.sampleBy([1])).rejects.toThrow(/a weight for each of 3000 rows, found 1/)
  })
})

it("says what is wrong, and is closed once", async () => {
  await expect(openTable(uri, "nope")).rejects.toThrow(/it has numbers|pictures/)
  await expect(openTable(uri, "numbers", { at: 999 })).rejects.toThrow(
    /has no version 999: it has 11 versions from 1 to 11/,
  )
  await expect(openTable(uri, "numbers", { at: "best" })).rejects.toThrow(/has no tag "best"; it has none/)
  await expect(idsOf(numbers.batches<Ids>(10, { columns: ["nope"] }))).rejects.toThrow(TableError)
  await expect(idsOf(numbers.batches<Ids>(10, { where: "nope = 1" }))).rejects.toThrow(ConfigError)
  expect(() => numbers.batches(0)).toThrow(/at least 1/)
  const dataset = await openTable(uri, "numbers")
  const view = await dataset.query("SELECT id")
  await view.close()
  expect(view.length).toBe(KEPT)
  await dataset.close()
  await dataset.close()
  await expect(idsOf(view.batches<Ids>())).rejects.toThrow(/was closed/)
})
