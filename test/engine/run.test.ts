import { describe, expect, it } from "vitest"
import type { RunEvent } from "../../src/model/events.ts"
import type { Route } from "../../src/model/feed.ts"
import type { Item } from "../../src/model/item.ts"
import type { Lane } from "../../src/model/normalizer.ts"
import { run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"

const whole = (count: number, rows = 3): Behaviour[] => Array.from({ length: count }, () => ({ rows }))

const expectedTexts = (behaviours: readonly Behaviour[], failed: (behaviour: Behaviour) => boolean): string[] =>
  behaviours.flatMap((behaviour, index) =>
    failed(behaviour) ? [] : Array.from({ length: behaviour.rows }, (_, row) => `item-${index}#${row}`),
  )

describe.each<Lane>(["main", "thread", "process"])("a run on the %s lane", (lane) => {
  it("keeps the source's order and settles every item", async () => {
    const behaviours: Behaviour[] = [
      ...whole(50),
      { rows: 0 },
      { rows: 2, end: "throw" },
      { rows: 2, end: "partial" },
      { rows: 5000, notes: true },
      ...whole(150, 1),
    ]
    const database = new MemoryDatabase()
    const summary = await run(testPlan(itemsOf(behaviours), memory({ table: "t", database }), lane))

    expect(summary.items).toMatchObject({ listed: 204, done: 202, partial: 1, empty: 1, failed: 1, pending: 0 })
    const rows = rowsOf(database.rows("t"))
    expect(rows.map((row) => row.text)).toEqual(expectedTexts(behaviours, (one) => one.end === "throw"))
    expect(rows.filter((row) => row._end)).toHaveLength(202)
    expect(summary).toMatchObject({ rows: rows.length, rowsByMedium: { test: rows.length }, bytes: 202 * 100 })

    const records = rowsOf(database.rows("t__items"), ["_item", "status", "error"])
    expect(records).toEqual([
      { _item: "item-50", status: "empty", error: "the item has no rows" },
      { _item: "item-51", status: "failed", error: "item-51 is broken after 2 rows" },
      { _item: "item-52", status: "partial", error: "the second half is missing" },
    ])
    const notes = rowsOf(database.rows("t__notes"))
    expect(notes.map((note) => [note._item, note._row, note.note])).toEqual(
      Array.from({ length: 5000 }, (_, row) => ["item-53", row, `about item-53#${row}`]),
    )
    const commitOf = new Map(rows.map((row) => [`${row._item}#${row._row}`, row._commit]))
    expect(notes.every((note) => commitOf.get(`${note._item}#${note._row}`) === note._commit)).toBe(true)
  })

  it("adds nothing the second time, and only what is new the third", async () => {
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    const items = itemsOf([...whole(10), { rows: 0 }, { rows: 1, end: "throw" }])
    await run(testPlan(items, sink, lane))
    const before = database.rows("t")

    const second = await run(testPlan(items, sink, lane))
    expect(second.items).toMatchObject({ listed: 12, done: 0, unchanged: 10, empty: 1, failed: 1 })
    expect(database.rows("t")).toEqual(before)

    const changed = items.map((item, index) => (index === 3 ? { ...item, version: "2" } : item))
    const third = await run(testPlan([...changed, ...itemsOf(whole(13)).slice(12)], sink, lane))
    expect(third.items).toMatchObject({ listed: 13, done: 1, unchanged: 9, outdated: 1 })
  })
})

describe.each<Lane>(["thread", "process"])("a worker on the %s lane", (lane) => {
  it("that dies, hangs or throws out of line costs one item", async () => {
    const behaviours: Behaviour[] = [
      ...whole(5),
      { rows: 2, end: "exit" },
      ...whole(70),
      { rows: 1, end: "spin" },
      ...whole(3),
      { rows: 0, end: "late-throw" },
      { rows: 400, end: "exit" },
      ...whole(4),
    ]
    const database = new MemoryDatabase()
    const settings = { flushEvery: 50, commitEvery: 100 }
    const summary = await run(testPlan(itemsOf(behaviours), memory({ table: "t", database }), lane, settings))

    expect(summary.items).toMatchObject({ listed: 86, done: 82, failed: 4, pending: 0 })
    const texts = rowsOf(database.rows("t")).map((row) => row.text)
    expect(texts).toEqual(expectedTexts(behaviours, (one) => one.end !== undefined))
    const errors = rowsOf(database.rows("t__items")).map((row) => String(row.error))
    expect(errors[0]).toMatch(/exit(ed with)? code:? 7/)
    expect(errors[1]).toBe("no progress for 1.5 s")
    expect(errors[2]).toMatch(lane === "thread" ? /thrown from a timer/ : /the worker process died \(exit code 1\)/)
  })

  it("takes over an item that was meant for another lane, in order", async () => {
    const behaviours: Behaviour[] = [...whole(3), { rows: 4, end: "lane" }, ...whole(3)]
    const database = new MemoryDatabase()
    await run(testPlan(itemsOf(behaviours), memory({ table: "t", database }), lane))
    expect(rowsOf(database.rows("t")).map((row) => row.text)).toEqual(expectedTexts(behaviours, () => false))
  })
})

describe("a worker thread", () => {
  it("that needs too much heap costs one item", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf([...whole(2), { rows: 0, end: "heap" }, ...whole(2)])
    const plan = testPlan(items, memory({ table: "t", database }), "thread", {
      workers: { threads: 2, timeout: 60_000 },
    })
    expect((await run(plan)).items).toMatchObject({ done: 4, failed: 1 })
    expect(String(rowsOf(database.rows("t__items"))[0]?.error)).toMatch(/needed more than \d+ MiB of heap/)
  })
})

describe("stopping", () => {
  const slow: Behaviour[] = Array.from({ length: 400 }, () => ({ rows: 2, wait: 2 }))

  it("drains: what is in flight is committed, the rest is pending, and a rerun completes", async () => {
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    const handle = start(testPlan(itemsOf(slow), sink, "thread", { flushEvery: 10, commitEvery: 20 }))
    for await (const event of handle) if (event.type === "committed") handle.cancel()
    const first = await handle.result
    expect(first.ending).toBe("interrupted")
    expect(first.items.done).toBeGreaterThan(9)
    expect(first.items.done).toBeLessThan(400)
    expect(first.items.listed).toBe(first.items.done + first.items.pending)
    expect(database.rows("t").rows).toBe(first.items.done * 2)

    const second = await run(testPlan(itemsOf(slow), sink, "thread"))
    expect(second.items).toMatchObject({ listed: 400, done: 400 - first.items.done, unchanged: first.items.done })
    expect(rowsOf(database.rows("t")).map((row) => row.text)).toEqual(expectedTexts(slow, () => false))
  })

  it("stops at the last commit when told so", async () => {
    const database = new MemoryDatabase()
    const handle = start(
      testPlan(itemsOf(slow), memory({ table: "t", database }), "thread", { flushEvery: 10, commitEvery: 20 }),
    )
    for await (const event of handle) if (event.type === "committed") handle.cancel({ drain: false })
    const summary = await handle.result
    expect(summary.ending).toBe("interrupted")
    expect(database.rows("t").rows).toBe(summary.rows)
    expect(summary.items.listed).toBe(summary.items.done + summary.items.pending)
  })

  it("commits the good work when there are too many failures", async () => {
    const database = new MemoryDatabase()
    const behaviours: Behaviour[] = [
      ...whole(10),
      ...Array.from({ length: 20 }, (): Behaviour => ({ rows: 1, end: "throw" })),
    ]
    const events: RunEvent[] = []
    const plan = testPlan(itemsOf(behaviours), memory({ table: "t", database }), "thread", { errors: { max: 5 } })
    const summary = await run(plan, { onEvent: (event) => events.push(event) })
    expect(summary).toMatchObject({ ending: "too-many-failures", rows: 30, items: { done: 10, failed: 6 } })
    expect(summary.items.listed).toBe(16 + summary.items.pending)
    expect(database.rows("t__items").rows).toBe(6)
  })

  it("measures the share of failures by what was tried, committed or not", async () => {
    const behaviours = Array.from(
      { length: 200 },
      (_, i): Behaviour => (i % 4 === 3 ? { rows: 1, end: "throw" } : { rows: 1 }),
    )
    const at = (maxRatio: number) =>
      run(testPlan(itemsOf(behaviours), memory({ table: "t" }), "main", { errors: { max: 1000, maxRatio } }))
    expect(await at(0.26)).toMatchObject({ ending: "complete", items: { done: 150, failed: 50 } })
    expect(await at(0.2)).toMatchObject({ ending: "too-many-failures", items: { done: 15, failed: 5 } })
  })

  it("gives up waiting for items in flight, and takes back the one that is not whole", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf([...whole(3), { rows: 100_000, wait: 1 }])
    const plan = testPlan(items, memory({ table: "t", database }), "thread", {
      flushEvery: 10,
      commitEvery: 10,
      shutdownTimeout: 300,
    })
    const handle = start(plan)
    for await (const event of handle) if (event.type === "committed" && event.rows > 30) handle.cancel()
    const summary = await handle.result
    expect(summary).toMatchObject({ ending: "interrupted", items: { done: 3, pending: 1 } })
    expect(rowsOf(database.rows("t")).map((row) => row._item)).toEqual(
      ["item-0", "item-1", "item-2"].flatMap((id) => [id, id, id]),
    )
  })
})

describe("a run", () => {
  it("commits after a period although the source waits", async () => {
    const database = new MemoryDatabase()
    let commit = (): void => {}
    const committed = new Promise<void>((resolve) => (commit = resolve))
    const items = async function* () {
      yield* itemsOf(whole(2))
      // Without a period there would be no commit before the end of the source, which waits for one.
      await committed
      yield* itemsOf(whole(3)).slice(2)
    }
    await run(testPlan(items, memory({ table: "t", database }), "thread", { commitEvery: { period: 100 } }), {
      onEvent: (event) => {
        if (event.type === "committed") commit()
      },
    })
    expect(database.rows("t").rows).toBe(9)
  })

  it("commits what was listed before the source failed, and then fails", async () => {
    const database = new MemoryDatabase()
    const items = async function* () {
      yield* itemsOf(whole(20))
      throw new Error("the listing broke off")
    }
    await expect(run(testPlan(items, memory({ table: "t", database }), "thread"))).rejects.toThrow(
      "the listing broke off",
    )
    expect(database.rows("t").rows).toBe(60)
  })

  it("cuts commits at their rows and bytes", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf([{ rows: 1000 }, { rows: 20, size: 10_000 }, ...whole(2)])
    await run(
      testPlan(items, memory({ table: "t", database }), "main", {
        flushEvery: 30,
        commitEvery: { rows: 300, bytes: 40_000 },
      }),
    )
    const rows = rowsOf(database.rows("t"), ["_commit", "text"])
    const sizes = new Map<unknown, { rows: number; bytes: number }>()
    for (const row of rows) {
      const size = sizes.get(row._commit) ?? { rows: 0, bytes: 0 }
      sizes.set(row._commit, { rows: size.rows + 1, bytes: size.bytes + String(row.text).length })
    }
    expect(rows).toHaveLength(1026)
    for (const size of sizes.values()) {
      expect(size.rows).toBeLessThanOrEqual(300)
      expect(size.bytes).toBeLessThanOrEqual(40_000)
    }
  })

  it("keeps a second writer out of the table", async () => {
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    const first = run(testPlan(itemsOf([{ rows: 5, wait: 20 }]), sink, "thread"))
    await expect(run(testPlan(itemsOf(whole(1)), sink, "thread"))).rejects.toThrow("is being written by another run")
    await first
    await run(testPlan(itemsOf(whole(3)), sink, "thread"))
  })

  it("replaces all rows with its first commit, and nothing when there is nothing", async () => {
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    await run(
      testPlan(
        itemsOf([
          { rows: 9, notes: true },
          { rows: 0, end: "throw" },
        ]),
        sink,
        "main",
      ),
    )
    await run(testPlan([], sink, "main", { mode: "replace" }))
    expect(database.rows("t").rows).toBe(9)
    await run(testPlan(itemsOf([{ rows: 1, notes: true }, { rows: 0 }], "2"), sink, "main", { mode: "replace" }))
    expect(rowsOf(database.rows("t"), ["_version", "_row"])).toEqual([{ _version: "2-r", _row: 0 }])
    expect(database.rows("t__notes").rows).toBe(1)
    expect(rowsOf(database.rows("t__items"), ["status"])).toEqual([{ status: "empty" }])
  })
})

describe("an item that is refused", () => {
  it("counts once, also when its worker fails later", async () => {
    const database = new MemoryDatabase()
    // Its first rows do not have the type that is asked for; each is a message of its own.
    const items = itemsOf([{ rows: 3, size: 100_000, end: "throw" }])
    const plan = testPlan(items, memory({ table: "t", database }), "thread", { schema: { n: "TEXT" } })
    expect((await run(plan)).items).toMatchObject({ listed: 1, failed: 1, pending: 0 })
    const records = rowsOf(database.rows("t__items"), ["stage", "error"])
    expect(records).toEqual([{ stage: "write", error: 'Column "n": expected TEXT, found INT32' }])
  })
})

describe("an item that is done again", () => {
  /** More than a worker may have unread, so that it waits for the reader. */
  const LARGE: Behaviour = { rows: 60, size: 100_000 }

  it("is not kept waiting by later ones that have taken all workers", async () => {
    // The first one turns out to belong to the other lane, where all workers are inside of later items by then.
    const items = itemsOf([{ rows: 1, end: "lane", wait: 1500 }, LARGE, LARGE, LARGE, LARGE])
    const database = new MemoryDatabase()
    const plan = testPlan(
      items.map((item) => ({ ...item, bytes: 8 << 20 })),
      memory({ table: "t", database }),
      "process",
      { workers: { threads: 2, timeout: 30_000 } },
    )
    const route = (item: Item): Route => ({ recipe: "r", lane: item.id === "item-0" ? "thread" : "process" })
    const summary = await run({ ...plan, feed: { ...plan.feed, route } })
    expect(summary.items).toMatchObject({ listed: 5, done: 5 })
    expect(database.rows("t").rows).toBe(1 + 4 * LARGE.rows)
  })
})
