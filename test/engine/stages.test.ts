import { setTimeout as sleep } from "node:timers/promises"
import { threadId } from "node:worker_threads"
import * as fc from "fast-check"
import { afterEach, describe, expect, it } from "vitest"
import { CRASH_POINTS, onCrashPoint } from "../../src/engine/crash-point.ts"
import { withWorkerMap } from "../../src/engine/map-in-worker.ts"
import type { Plan } from "../../src/engine/plan.ts"
import { FatalError, IngestError } from "../../src/model/errors.ts"
import type { FilterStage, MapStage, RowStage } from "../../src/model/stage.ts"
import { run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"

const length = (map: MapStage["map"], options: Partial<MapStage> = {}): MapStage => ({
  kind: "map",
  name: "length",
  columns: new Map([["length", { name: "INT32" }]]),
  map,
  batch: 8,
  concurrency: 3,
  retries: 2,
  perSecond: Infinity,
  timeout: 60_000,
  ...options,
})

const measure: MapStage["map"] = (batch) => ({ length: batch.column("text").map((text) => String(text).length) })

const only = (keep: (n: number) => boolean): FilterStage => ({
  kind: "filter",
  name: "some",
  keep: (batch) => batch.column("n").map((n) => keep(Number(n))),
})

const planOf = (
  database: MemoryDatabase,
  behaviours: readonly Behaviour[],
  stages: readonly RowStage[],
  lane: "main" | "thread" = "main",
): Plan => ({
  ...testPlan(itemsOf(behaviours), memory({ table: "t", database }), lane, {
    flushEvery: 5,
    commitEvery: 20,
    failed: "retry",
  }),
  stages,
})

const rows = (database: MemoryDatabase, ...columns: string[]) => rowsOf(database.rows("t"), columns)
const records = (database: MemoryDatabase) => rowsOf(database.rows("t__items"), ["_item", "status", "stage", "error"])

describe("a map", () => {
  it("is called with rows of several items, several times at once, and rows stay in order", async () => {
    const database = new MemoryDatabase()
    const sizes: number[] = []
    let running = 0
    let most = 0
    const map: MapStage["map"] = async (batch) => {
      sizes.push(batch.rows)
      most = Math.max(most, ++running)
      expect(new Set(batch.items).size).toBeGreaterThan(1)
      // Earlier calls end later.
      await new Promise((resolve) => setTimeout(resolve, 20 - sizes.length))
      running--
      return measure(batch, { signal: new AbortController().signal })
    }
    const behaviours = Array.from({ length: 40 }, () => ({ rows: 2, notes: true }))
    const summary = await run(planOf(database, behaviours, [length(map)], "thread"))
    expect(summary.items).toMatchObject({ done: 40, failed: 0 })
    const texts = Array.from({ length: 80 }, (_, i) => `item-${i >> 1}#${i % 2}`)
    expect(rows(database, "text", "length")).toEqual(texts.map((text) => ({ text, length: text.length })))
    expect(rowsOf(database.rows("t__notes"), ["note"]).map(({ note }) => note)).toEqual(texts.map((t) => `about ${t}`))
    expect(sizes.filter((size) => size === 8).length).toBeGreaterThan(5)
    expect([most > 1, most <= 3]).toEqual([true, true])
  })

  it("that fails on an item costs that item only, wherever it stands in the call", async () => {
    const database = new MemoryDatabase()
    let calls = 0
    const map: MapStage["map"] = (batch, context) => {
      calls++
      if (batch.items.includes("item-3")) throw new IngestError("no item-3 please")
      return measure(batch, context)
    }
    const behaviours = Array.from({ length: 8 }, () => ({ rows: 5 }))
    const plan = planOf(database, behaviours, [length(map)])
    expect((await run(plan)).items).toMatchObject({ done: 7, failed: 1 })
    expect(rows(database, "_item").some(({ _item }) => _item === "item-3")).toBe(false)
    expect(records(database)).toEqual([
      { _item: "item-3", status: "failed", stage: "map", error: 'map "length": no item-3 please' },
    ])
    // What is wrong stays wrong, and is not tried again and again.
    expect(calls).toBeLessThan(20)
    const mended = { ...plan, stages: [length(measure)] }
    expect((await run(mended)).items).toMatchObject({ done: 1, unchanged: 7, failed: 0 })
    expect(records(database)).toEqual([])
  })

  it("is called again when it fails, and given up when it does not answer", async () => {
    const database = new MemoryDatabase()
    let calls = 0
    const flaky: MapStage["map"] = (batch, context) => {
      if (calls++ < 2) throw new Error("503")
      return measure(batch, context)
    }
    expect((await run(planOf(database, [{ rows: 3 }], [length(flaky)]))).items).toMatchObject({ done: 1 })
    expect(calls).toBe(3)
    const silent = length(() => new Promise(() => {}), { timeout: 50, retries: 0 })
    const { items } = await run(planOf(new MemoryDatabase(), [{ rows: 3 }, { rows: 1 }], [silent]))
    expect(items).toMatchObject({ failed: 2 })
  })

  it("that cannot go on stops the run", async () => {
    const fatal = length(() => {
      throw new FatalError("401: the key is wrong")
    })
    await expect(run(planOf(new MemoryDatabase(), [{ rows: 3 }], [fatal]))).rejects.toThrow("401: the key is wrong")
  })

  it("is held to the columns that it declares, and to one value a row", async () => {
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [{ size: [1, 2, 3] }, /expected the columns "length", found "size"/],
      [{ length: [1, 2] }, /expected 3 values a column, found 2/],
      [{ length: ["a", "b", "c"] }, /length/],
      [undefined, /expected an object of columns/],
    ]
    for (const [given, message] of wrong) {
      const database = new MemoryDatabase()
      await run(planOf(database, [{ rows: 3 }], [length(() => given as never)]))
      expect(String(records(database)[0]?.error)).toMatch(message)
    }
    const database = new MemoryDatabase()
    await run(planOf(database, [{ rows: 3 }], [length((batch) => ({ length: batch.column("txt") }))]))
    expect(records(database)[0]?.error).toContain(
      'Expected one of the columns that the rows have ("n", "text"), found "txt"',
    )
  })

  it("is called no more often a second than it says", async () => {
    const started = performance.now()
    const behaviours = Array.from({ length: 6 }, () => ({ rows: 4 }))
    await run(planOf(new MemoryDatabase(), behaviours, [length(measure, { batch: 4, perSecond: 50 })]))
    expect(performance.now() - started).toBeGreaterThan(100)
  })
})

describe("a filter", () => {
  it("leaves rows out; the others keep their numbers, and the last one marks the end", async () => {
    const database = new MemoryDatabase()
    const summary = await run(planOf(database, [{ rows: 5 }, { rows: 1 }, { rows: 4 }], [only((n) => n % 2 === 1)]))
    expect(rows(database, "_item", "_row", "_end")).toEqual([
      { _item: "item-0", _row: 1, _end: false },
      { _item: "item-0", _row: 3, _end: true },
      { _item: "item-2", _row: 1, _end: false },
      { _item: "item-2", _row: 3, _end: true },
    ])
    expect(summary.items).toMatchObject({ done: 2, empty: 1 })
    expect(records(database)).toEqual([
      { _item: "item-1", status: "empty", stage: "map", error: 'filter "some" leaves none of its rows' },
    ])
  })

  it("fails items for which it gives no value a row", async () => {
    const database = new MemoryDatabase()
    await run(planOf(database, [{ rows: 3 }], [{ kind: "filter", name: "f", keep: () => [true] }]))
    expect(records(database)[0]?.error).toContain("expected a value for each of 3 rows, found 1 values")
  })
})

describe("the last calls of a run, with all rows made", () => {
  const behaviours = Array.from({ length: 40 }, () => ({ rows: 1 }))
  const silent = (calls: AbortSignal[]) =>
    length((_, { signal }) => new Promise(() => calls.push(signal)), { batch: 64 })
  const begin = async (settings: Partial<Plan> = {}) => {
    const calls: AbortSignal[] = []
    const handle = start({ ...planOf(new MemoryDatabase(), behaviours, [silent(calls)]), ...settings })
    while (calls.length === 0) await sleep(10)
    // By now nothing is waited for but the call.
    await sleep(100)
    return { handle, calls }
  }

  it("are not waited for by a run that stops at its last commit", async () => {
    const { handle, calls } = await begin()
    handle.cancel({ drain: false })
    expect((await handle.result).items).toMatchObject({ listed: 40, pending: 40 })
    expect(calls.every(({ aborted }) => aborted)).toBe(true)
  })

  it("are waited for by one that drains, but no longer than it may take", async () => {
    const { handle, calls } = await begin({ shutdownTimeout: 50 })
    handle.cancel()
    expect((await handle.result).items).toMatchObject({ listed: 40, pending: 40 })
    expect(calls.every(({ aborted }) => aborted)).toBe(true)
  })

  it("can be the ones that fail too often", async () => {
    const broken = length(() => {
      throw new IngestError("the model is gone")
    })
    const plan = planOf(new MemoryDatabase(), behaviours, [{ ...broken, batch: 64 }])
    const { ending, items } = await run({ ...plan, errors: { max: 5, maxRatio: 1 } })
    expect([ending, items.failed]).toEqual(["too-many-failures", 6])
  })
})

afterEach(() => onCrashPoint(() => {}))

it("comes to the same end with stages, whatever was interrupted", { timeout: 60_000 }, async () => {
  const behaviour = fc.record<Behaviour>({
    rows: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 60 })),
    notes: fc.boolean(),
  })
  const stop = fc.record({
    kind: fc.constantFrom("crash" as const, "drain" as const, "abort" as const),
    point: fc.constantFrom(...CRASH_POINTS),
    after: fc.integer({ min: 0, max: 4 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 15 }),
      fc.array(stop, { maxLength: 4 }),
      fc.integer({ min: 1, max: 20 }),
      async (behaviours, stops, batch) => {
        const database = new MemoryDatabase()
        // Every eleventh row of items with an even number cannot be measured.
        const map: MapStage["map"] = async (given, context) => {
          if (given.items.some((item, i) => /[02468]$/.test(item) && Number(given.column("n")[i]) === 11)) {
            throw new IngestError("row 11 cannot be measured")
          }
          await null
          return measure(given, context)
        }
        const plan = planOf(database, behaviours, [only((n) => n % 3 !== 1), length(map, { batch })])
        for (const { kind, point, after } of stops) {
          let left = after
          onCrashPoint((reached) => {
            if (kind === "crash" && reached === point && left-- === 0) throw new Error("crash")
          })
          const handle = start(plan, {
            onEvent: () =>
              kind !== "crash" && left-- === 0 && setImmediate(() => handle.cancel({ drain: kind === "drain" })),
          })
          await handle.result.catch((error: Error) => expect(error.message).toBe("crash"))
        }
        onCrashPoint(() => {})
        const { items } = await run(plan)
        expect(items.listed).toBe(items.done + items.unchanged + items.empty + items.failed)
        const expected = behaviours.flatMap(({ rows }, i) => {
          const kept = Array.from({ length: rows }, (_, n) => n).filter((n) => n % 3 !== 1)
          if (i % 2 === 0 && kept.includes(11)) return []
          return kept.map((n) => ({
            _item: `item-${i}`,
            _row: n,
            _end: n === kept.at(-1),
            length: `item-${i}#${n}`.length,
          }))
        })
        expect(rows(database, "_item", "_row", "_end", "length")).toEqual(expected)
      },
    ),
    { numRuns: 100 },
  )
})

it.each(["thread", "process", "main"] as const)("a map in workers runs where rows are made: %s", async (lane) => {
  const database = new MemoryDatabase()
  const plan = testPlan(itemsOf([{ rows: 2 }, { rows: 1 }]), memory({ table: "t", database }), lane)
  const feed = withWorkerMap(plan.feed, {
    name: "where",
    columns: new Map([["place", { name: "TEXT" }]]),
    module: new URL("../fixtures/worker-map.ts", import.meta.url).href,
    export: "where",
  })
  expect((await run({ ...plan, feed })).items).toMatchObject({ done: 1, failed: 1 })
  const places = rows(database, "place").map(({ place }) => String(place))
  expect(places).toEqual([0, 1].map((n) => expect.stringMatching(new RegExp(`^item-0#${n} on \\d+/\\d+$`))))
  const here = `${process.pid}/${threadId}`
  expect(places.every((place) => place.endsWith(here))).toBe(lane === "main")
  expect(records(database)[0]?.error).toBe('map "where": not this one')
})
