/** What becomes of rows that do not fit the table, by each contract. */
import { describe, expect, it } from "vitest"
import type { Contract, Plan } from "../../src/engine/plan.ts"
import { batchOf } from "../../src/model/batch.ts"
import { type Column, float64Column, int32Column, numberColumn, textColumn } from "../../src/model/column.ts"
import type { Normalize } from "../../src/model/normalizer.ts"
import { planOf, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { rowsOf } from "../fixtures/plans.ts"

type Columns = Readonly<Record<string, Column>>

const int64 = (...values: number[]): Column => numberColumn(BigInt64Array.from(values, BigInt), { name: "INT64" })

/** Items by name, each with its batches. */
const plan = (
  database: MemoryDatabase,
  items: Readonly<Record<string, readonly Columns[]>>,
  contract: Contract,
  side = false,
): Plan => {
  const normalize: Normalize = async function* (item) {
    for (const columns of items[item.id] ?? []) {
      const batch = batchOf(columns)
      const rows = Array.from({ length: batch.rows }, (_, row) => row)
      const notes = batchOf({ _row: int32Column(rows), note: textColumn(rows.map((row) => `note ${row}`)) })
      yield side ? { batch, side: { notes } } : { batch }
    }
  }
  return planOf(
    {
      name: "contract",
      sink: memory({ table: "t", database }),
      feed: {
        source: {
          name: "items",
          items: async function* () {
            for (const id of Object.keys(items)) yield { id, uri: id, version: "1", bytes: 1 }
          },
        },
        code: { normalize, options: {} },
        route: () => ({ lane: "main", recipe: "r" }),
      },
    },
    { contract },
  )
}

const start = async (): Promise<MemoryDatabase> => {
  const database = new MemoryDatabase()
  await run(plan(database, { first: [{ n: int64(1, 2), text: textColumn(["a", "b"]) }] }, "evolve"))
  return database
}

const records = (database: MemoryDatabase) =>
  rowsOf(database.rows("t__items")).map(({ _item, status, stage, error }) => [_item, status, stage, error])

const numbers = (database: MemoryDatabase) =>
  rowsOf(database.rows("t")).map(({ _item, _row, _end, n }) => [_item, _row, _end, n])

describe("evolve", () => {
  it("adds columns, and names the row that does not fit", async () => {
    const database = await start()
    const items = {
      more: [{ n: int64(3), score: float64Column([0.5]) }],
      fraction: [{ n: float64Column([4, 5]) }, { n: float64Column([6, 6.5]) }],
      other: [{ n: textColumn(["x"]) }],
    }
    expect((await run(plan(database, items, "evolve"))).items).toMatchObject({ done: 1, failed: 2 })
    expect([...database.rows("t").columns.keys()]).toContain("score")
    expect(records(database)).toEqual([
      ["fraction", "failed", "write", expect.stringMatching(/^Column "n", row 3: expected INT64.*found 6\.5/)],
      ["other", "failed", "write", 'Column "n": expected INT64, found TEXT'],
    ])
  })
})

describe("freeze", () => {
  it("refuses items with columns that the table lacks, and keeps the others", async () => {
    const database = await start()
    const items = {
      good: [{ n: int64(3), text: textColumn(["c"]) }],
      empty: [{ n: int64(4), score: textColumn([null]) }],
      more: [{ n: int64(5, 6), score: textColumn([null, "x"]) }],
    }
    const { items: counts } = await run(plan(database, items, "freeze"))
    expect(counts).toMatchObject({ done: 2, failed: 1, partial: 0 })
    expect(numbers(database).map(([item]) => item)).toEqual(["first", "first", "good", "empty"])
    expect([...database.rows("t").columns.keys()]).not.toContain("score")
    expect(records(database)).toEqual([
      [
        "more",
        "failed",
        "write",
        expect.stringMatching(/^Column "score", row 1: expected one of the columns.*\(n, text\)/),
      ],
    ])
  })

  it("takes the columns of the first commit", async () => {
    const database = new MemoryDatabase()
    const items = { a: [{ n: int64(1) }], b: [{ n: int64(2), text: textColumn(["x"]) }] }
    expect((await run(plan(database, items, "freeze"))).items).toMatchObject({ done: 2, failed: 0 })
    expect((await run(plan(database, { c: [{ z: int64(1) }] }, "freeze"))).items).toMatchObject({ failed: 1 })
  })
})

describe("discard_row", () => {
  it("leaves out the rows that do not fit, says which, and keeps the rest of their items", async () => {
    const database = await start()
    const items = {
      middle: [{ n: float64Column([1, 1.5, 2]) }, { n: float64Column([3]) }],
      last: [{ n: int64(1, 2) }, { n: float64Column([2.5]) }, { n: textColumn(["x"]) }],
      extra: [{ n: int64(1, 2, 3), score: textColumn([null, "x", null]) }],
      none: [{ n: float64Column([0.5]) }, { n: float64Column([0.25]) }],
      good: [{ n: int64(9) }],
    }
    const summary = await run(plan(database, items, "discard_row", true))
    expect(summary.items).toMatchObject({ listed: 5, done: 4, partial: 3, failed: 1 })
    expect(numbers(database).slice(2)).toEqual([
      ["middle", 0, false, 1n],
      ["middle", 2, false, 2n],
      ["middle", 3, true, 3n],
      ["last", 0, false, 1n],
      ["last", 1, true, 2n],
      ["extra", 0, false, 1n],
      ["extra", 2, true, 3n],
      ["good", 0, true, 9n],
    ])
    // Side rows of rows that were left out are left out, too.
    expect(rowsOf(database.rows("t__notes")).map(({ _item, _row }) => [_item, _row])).toEqual(
      numbers(database)
        .slice(2)
        .map(([item, row]) => [item, row]),
    )
    expect(records(database).sort()).toEqual([
      ["extra", "partial", "write", '1 row left out: row 1: the table has no column "score", found the text "x" in it'],
      [
        "last",
        "partial",
        "write",
        '2 rows left out: row 2: column "n": expected INT64, found 2.5; row 3: column "n": expected INT64, found the text "x"',
      ],
      ["middle", "partial", "write", '1 row left out: row 1: column "n": expected INT64, found 1.5'],
      ["none", "failed", "write", expect.stringMatching(/^2 rows left out/)],
    ])
    expect([...database.rows("t").columns.keys()]).not.toContain("score")
    expect((await run(plan(database, items, "discard_row", true))).items).toMatchObject({ unchanged: 4, failed: 1 })
  })
})
