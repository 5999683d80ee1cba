/** What a run would do, told without doing it; and what then happens. */
import { describe, expect, it } from "vitest"
import { forecast } from "../../src/engine/forecast.ts"
import type { Item } from "../../src/model/item.ts"
import { type RunSettings, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"

const good: Behaviour = { rows: 2 }
const bad: Behaviour = { rows: 1, end: "throw" }

const first = (): Item[] => itemsOf([good, good, good, bad, { rows: 0 }])

/** 0 as it was, 1 changed, 2 gone, 3 still bad, 4 still empty, and 5 new, 6 not to be read. */
const second = (): Item[] => [
  ...first().flatMap((item, index) => (index === 2 ? [] : [index === 1 ? { ...item, version: "2" } : item])),
  ...itemsOf(Array.from({ length: 7 }, () => good)).slice(5, 6),
  { id: "item-6", uri: "/nowhere", version: "unlisted", bytes: 0, error: "Permission denied" },
]

const sink = (database: MemoryDatabase) => memory({ table: "t", database })

const counts = async (database: MemoryDatabase, items: Item[], settings: RunSettings) => {
  const { shares, kept } = await forecast(testPlan(items, sink(database), "main", settings))
  const found = Object.entries(shares).filter(([, share]) => share.items > 0)
  return { ...Object.fromEntries(found.map(([prospect, share]) => [prospect, share.items])), kept: kept !== undefined }
}

describe("forecast", () => {
  it("says what each mode would do, and changes nothing", async () => {
    const database = new MemoryDatabase()
    expect(await counts(database, first(), {})).toEqual({ new: 5, kept: false })
    expect(database.has("t")).toBe(false)
    await run(testPlan(first(), sink(database), "main"))
    const before = JSON.stringify(rowsOf(database.rows("t")).map(({ text }) => text))

    const rest = { unchanged: 1, failed: 1, empty: 1, new: 1, unreadable: 1, vanished: 1 }
    expect(await counts(database, second(), {})).toEqual({ ...rest, outdated: 1, kept: false })
    expect(await counts(database, second(), { mode: "sync", maxDeleteRatio: 0.5 })).toEqual({
      ...rest,
      changed: 1,
      kept: false,
    })
    expect(await counts(database, second(), { mode: "sync" })).toEqual({ ...rest, changed: 1, kept: true })
    expect(await counts(database, second(), { failed: "retry" })).toMatchObject({ retried: 1, outdated: 1 })
    expect(await counts(database, second(), { mode: "replace" })).toMatchObject({ new: 5, unreadable: 1 })
    expect(JSON.stringify(rowsOf(database.rows("t")).map(({ text }) => text))).toBe(before)
  })

  it("is none of a listing that was told to end, however quietly it does", async () => {
    const database = new MemoryDatabase()
    await run(testPlan(first(), sink(database), "main"))
    const abort = new AbortController()
    const some = async function* () {
      yield* first().slice(0, 1)
      abort.abort(new Error("enough"))
    }
    await expect(forecast(testPlan(some, sink(database), "main"), abort.signal)).rejects.toThrow("enough")
  })

  it("is what sync then does", async () => {
    const database = new MemoryDatabase()
    await run(testPlan(first(), sink(database), "main"))
    const { items } = await run(testPlan(second(), sink(database), "main", { mode: "sync", maxDeleteRatio: 0.5 }))
    expect(items).toEqual({
      listed: 6,
      done: 2,
      partial: 0,
      unchanged: 1,
      outdated: 0,
      empty: 1,
      failed: 2,
      pending: 0,
      removed: 1,
    })
    expect(new Set(rowsOf(database.rows("t")).map(({ _item, _version }) => `${_item} ${_version}`))).toEqual(
      new Set(["item-0 1-r", "item-1 2-r", "item-5 1-r"]),
    )
  })
})

describe("sync", () => {
  it("removes nothing when too much has vanished, or what is there could not be listed", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf(Array.from({ length: 10 }, () => good))
    await run(testPlan(items, sink(database), "main"))
    const sync = (left: readonly Item[]) => run(testPlan(left, sink(database), "main", { mode: "sync" }))

    const many = await sync(items.slice(3))
    expect(many.items.removed).toBe(0)
    expect(many.warnings).toEqual([
      "Vanished items stay in the table: more than 2 of its 10 items are not in the source any more, and max_delete_ratio is 0.2. If that is right, raise it for one run",
    ])
    const folder: Item = { id: "folder/", uri: "/f", version: "unlisted", bytes: 0, error: "no", hidesOthers: true }
    const hidden = await sync([...items.slice(1), folder])
    expect(hidden.items.removed).toBe(0)
    expect(hidden.warnings).toEqual([expect.stringMatching(/1 folders could not be listed/)])

    expect((await sync(items.slice(2))).items.removed).toBe(2)
    expect(database.rows("t").rows).toBe(16)
  })

  it("removes nothing when the listing broke off", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf(Array.from({ length: 10 }, () => good))
    await run(testPlan(items, sink(database), "main"))
    const broken = async function* () {
      yield* items.slice(1, 4)
      throw new Error("the listing broke off")
    }
    await expect(run(testPlan(broken, sink(database), "main", { mode: "sync" }))).rejects.toThrow("broke off")
    expect(database.rows("t").rows).toBe(20)
  })

  it("keeps the older rows of an item whose new version fails, and takes the next that does not", async () => {
    const database = new MemoryDatabase()
    const at = (version: string, behaviour: Behaviour) => itemsOf([behaviour, good], version).slice(0, 1)
    const sync = (items: readonly Item[]) =>
      run(testPlan(items, sink(database), "main", { mode: "sync", flushEvery: 10, commitEvery: 100 }))
    const versions = () => [...new Set(rowsOf(database.rows("t")).map(({ _version }) => _version))]
    await sync(at("1", { rows: 1 }))
    await sync(at("2", { rows: 5000, end: "throw" }))
    expect([versions(), database.rows("t").rows]).toEqual([["1-r"], 1])
    // Known to have failed: it is not tried again.
    expect((await sync(at("2", { rows: 5000, end: "throw" }))).items.failed).toBe(1)
    await sync(at("3", { rows: 10_000 }))
    expect([versions(), database.rows("t").rows]).toEqual([["3-r"], 10_000])
    expect(rowsOf(database.rows("t__items")).filter(({ status }) => status === "failed")).toEqual([])
    await sync(at("4", { rows: 0 }))
    expect(database.rows("t").rows).toBe(0)
    expect(rowsOf(database.rows("t__items")).map(({ status }) => status)).toEqual(["empty"])
    await sync(at("5", { rows: 3 }))
    expect([versions(), database.rows("t").rows]).toEqual([["5-r"], 3])
    expect(rowsOf(database.rows("t__items"))).toEqual([])
  })
})

describe("dead letters", () => {
  it("count their attempts, are tried alone, and go when they come through", async () => {
    const database = new MemoryDatabase()
    const items = itemsOf([good, bad, bad])
    const records = () => rowsOf(database.rows("t__items")).map(({ _item, attempts }) => [_item, attempts])
    await run(testPlan(items, sink(database), "main"))
    const only = (now: readonly Item[]) => run(testPlan(now, sink(database), "main", { failed: "only" }))
    // A new item waits for a usual run.
    const more = [...items, ...itemsOf([good, good, good, good]).slice(3)]
    expect((await only(more)).items).toMatchObject({ listed: 4, unchanged: 1, failed: 2, pending: 1 })
    expect(records().sort()).toEqual([
      ["item-1", 2],
      ["item-2", 2],
    ])
    // Whoever mends a file makes another version of it.
    const mended = more.map((item, index) => (index === 1 ? { ...item, version: "2", payload: { ...good } } : item))
    expect((await only(mended)).items).toMatchObject({ done: 1, unchanged: 1, failed: 1, pending: 1 })
    expect(records()).toEqual([["item-2", 3]])
    expect((await run(testPlan(mended, sink(database), "main"))).items).toMatchObject({ done: 1, failed: 1 })
  })
})
