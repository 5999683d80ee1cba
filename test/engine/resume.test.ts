/** Items that are cut in the middle, and go on there when they say that they can. */
import { describe, expect, it } from "vitest"
import type { Item } from "../../src/model/item.ts"
import { run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"

const ROWS = 60
const SETTINGS = { flushEvery: 4, commitEvery: 8, shutdownTimeout: 1 }

const items = (last: Behaviour = { rows: ROWS, notes: true, wait: 3 }, resumable = true): Item[] =>
  itemsOf([{ rows: 3, notes: true }, last]).map((item, index) =>
    index === 1 && resumable ? { ...item, resumable: true } : item,
  )

interface Cut {
  readonly database: MemoryDatabase
  /** Rows of the cut item in the table. */
  readonly left: number
}

/** Stops a run at a commit inside the second item. */
const cut = async (how: { readonly drain: boolean }, resumable = true, last?: Behaviour): Promise<Cut> => {
  const database = new MemoryDatabase()
  const handle = start(testPlan(items(last, resumable), memory({ table: "t", database }), "thread", SETTINGS))
  for await (const event of handle) if (event.type === "committed" && event.rows > 20) handle.cancel(how)
  const summary = await handle.result
  expect(summary).toMatchObject({ ending: "interrupted", items: { done: 1, pending: 1 } })
  return { database, left: database.rows("t").rows - 3 }
}

const texts = (database: MemoryDatabase, table: string, column: string) =>
  rowsOf(database.rows(table)).map((row) => row[column])

const expectWhole = (database: MemoryDatabase): void => {
  const rows = rowsOf(database.rows("t"))
  expect(rows.map(({ _item, _row }) => [_item, _row])).toEqual([
    ...[0, 1, 2].map((row) => ["item-0", row]),
    ...Array.from({ length: ROWS }, (_, row) => ["item-1", row]),
  ])
  expect(rows.map(({ text }) => text)).toEqual(rows.map(({ _item, _row }) => `${_item}#${_row}`))
  expect(rows.filter(({ _end }) => _end).map(({ _row }) => _row)).toEqual([2, ROWS - 1])
  expect(texts(database, "t__notes", "note")).toEqual(rows.map(({ text }) => `about ${text}`))
  expect(texts(database, "t__notes", "_row")).toEqual(rows.map(({ _row }) => _row))
}

describe("an item that was cut", () => {
  it.each([
    ["at the last commit", { drain: false }],
    ["by a drain that took too long", { drain: true }],
  ])("%s goes on after its last row in the table, when it is resumable", async (_, how) => {
    const { database, left } = await cut(how)
    expect(left).toBeGreaterThan(10)
    expect(left).toBeLessThan(ROWS)
    const commits = rowsOf(database.rows("t")).map((row) => row._commit)
    const summary = await run(testPlan(items(), memory({ table: "t", database }), "thread", SETTINGS))
    expect(summary).toMatchObject({ ending: "complete", rows: ROWS - left, items: { unchanged: 1, done: 1 } })
    expectWhole(database)
    expect(texts(database, "t", "_commit").slice(0, commits.length)).toEqual(commits)
  })

  it("begins anew when it is not", async () => {
    const { database, left } = await cut({ drain: false }, false)
    expect(left).toBeGreaterThan(0)
    const summary = await run(testPlan(items(undefined, false), memory({ table: "t", database }), "thread", SETTINGS))
    expect(summary.rows).toBe(ROWS)
    expectWhole(database)
  })

  it("begins anew when it has changed since, or another item comes before it", async () => {
    const { database } = await cut({ drain: false })
    const changed = items().map((item, index) => (index === 1 ? { ...item, version: "2" } : item))
    expect((await run(testPlan(changed, memory({ table: "t", database }), "thread", SETTINGS))).rows).toBe(ROWS)
    expectWhole(database)

    const other = await cut({ drain: false })
    const before: Item = { ...(itemsOf([{ rows: 1 }])[0] as Item), id: "item-before" }
    const plan = testPlan([before, ...items()], memory({ table: "t", database: other.database }), "thread", SETTINGS)
    expect((await run(plan)).rows).toBe(ROWS + 1)
    expect(texts(other.database, "t", "text").filter((text) => String(text).startsWith("item-1#"))).toHaveLength(ROWS)
  })

  it("is taken back, rows of earlier runs included, when it fails or has fewer rows than the table", async () => {
    const failing: readonly (readonly [Behaviour, RegExp])[] = [
      [{ rows: ROWS, end: "throw" }, /is broken after 60 rows/],
      [{ rows: 5 }, /Expected more than the \d+ rows that are in the table since a run was cut, found 5/],
      [{ rows: ROWS - 10, end: "exit" }, /exit|died|ended/i],
    ]
    for (const [behaviour, message] of failing) {
      const { database } = await cut({ drain: false })
      const plan = testPlan(items(behaviour), memory({ table: "t", database }), "thread", SETTINGS)
      const summary = await run(plan)
      expect(summary.items).toMatchObject({ unchanged: 1, failed: 1 })
      expect(String(rowsOf(database.rows("t__items"))[0]?.error)).toMatch(message)
      expect(texts(database, "t", "text")).toEqual([0, 1, 2].map((row) => `item-0#${row}`))
      expect(texts(database, "t__notes", "_item")).toEqual(["item-0", "item-0", "item-0"])

      // Known to have failed: only who asks for it tries it again.
      const again = () => memory({ table: "t", database })
      expect((await run(testPlan(items(), again(), "thread", SETTINGS))).rows).toBe(0)
      const retried = await run(testPlan(items(), again(), "thread", { ...SETTINGS, failed: "retry" }))
      expect(retried.items).toMatchObject({ unchanged: 1, done: 1, failed: 0 })
      expectWhole(database)
    }
  })

  it("keeps the record of what is missing of the rows that are in the table", async () => {
    const behaviour: Behaviour = { rows: ROWS, notes: true, wait: 3, gap: 2 }
    for (const last of [behaviour, { ...behaviour, end: "partial" as const }]) {
      const { database, left } = await cut({ drain: false }, true, behaviour)
      expect(texts(database, "t__items", "status")).toEqual(["partial"])
      const summary = await run(testPlan(items(last), memory({ table: "t", database }), "thread", SETTINGS))
      expect(summary).toMatchObject({ rows: ROWS - left, items: { done: 1, partial: 1 } })
      expectWhole(database)
      const later = last.end ? "; the second half is missing" : ""
      expect(texts(database, "t__items", "error")).toEqual([`row 2 has no picture${later}`])
    }
  })

  it("is removed when there is nothing more to do", async () => {
    const { database } = await cut({ drain: false })
    const gone = items().slice(0, 1)
    await run(testPlan(gone, memory({ table: "t", database }), "thread", SETTINGS))
    expect(database.rows("t").rows).toBe(3)
  })
})
