import { expect, it } from "vitest"
import { ConfigError } from "../../src/model/errors.ts"
import type { Lane } from "../../src/model/normalizer.ts"
import { run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { faulty } from "../../src/testing/index.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"

const ITEMS = 40

const planOf = (database: MemoryDatabase, lane: Lane = "main", timeout = 60_000) =>
  testPlan(itemsOf(Array.from({ length: ITEMS }, () => ({ rows: 2 }))), memory({ table: "t", database }), lane, {
    commitEvery: 10,
    flushEvery: 10,
    failed: "retry",
    errors: { max: ITEMS },
    workers: { threads: 2, timeout },
  })

const failuresOf = (database: MemoryDatabase): Record<string, unknown>[] =>
  rowsOf(database.rows("t__items"), ["_item", "stage", "error"])

it("makes items fail at random, the same for the same seed", async () => {
  const failed = async (seed: number): Promise<unknown[]> => {
    const database = new MemoryDatabase()
    const { items } = await run(
      faulty(planOf(database), { seed, source: { unreadable: 0.2 }, normalizer: { fail: 0.3 } }),
    )
    expect(items.done + items.failed).toBe(ITEMS)
    const failures = failuresOf(database)
    expect(new Set(failures.map(({ stage }) => stage))).toEqual(new Set(["list", "normalize"]))
    expect(failures.every(({ error }) => /a fault on purpose/i.test(String(error)))).toBe(true)
    return failures.map(({ _item }) => _item)
  }
  const first = await failed(1)
  expect(first.length).toBeGreaterThan(0)
  expect(await failed(1)).toEqual(first)
  expect(await failed(2)).not.toEqual(first)
})

it("breaks the listing off, or holds it until the run is stopped", async () => {
  const database = new MemoryDatabase()
  await expect(run(faulty(planOf(database), { source: { fail: 0.2 } }))).rejects.toThrow("the listing broke off")
  const held = start(faulty(planOf(database), { source: { hang: 1 } }))
  setTimeout(() => held.cancel(), 50)
  expect((await held.result).ending).toBe("interrupted")
})

it("lets workers die, hang and compute for ever: such items fail, and the others come through", async () => {
  const database = new MemoryDatabase()
  const plan = planOf(database, "process", 1000)
  const { items } = await run(faulty(plan, { seed: 3, normalizer: { die: 0.05, hang: 0.05, spin: 0.05, delay: 2 } }))
  expect(items.done + items.failed).toBe(ITEMS)
  const errors = failuresOf(database).map(({ error }) => String(error))
  expect(errors.some((error) => error.includes("died"))).toBe(true)
  expect(errors.some((error) => error.includes("no progress"))).toBe(true)
  expect((await run(plan)).items).toMatchObject({ done: items.failed, failed: 0 })
  expect(database.rows("t").rows).toBe(2 * ITEMS)
})

it("fails in the sink, before and after the deed; in the end nothing is lost or repeated", async () => {
  const database = new MemoryDatabase()
  const plan = planOf(database)
  for (const sink of [{ fail: 0.3 }, { lostReply: 0.5 }, { fail: 0.1, lostReply: 0.1, delay: 1 }]) {
    await expect(run(faulty(plan, { sink }))).rejects.toThrow("A fault on purpose")
  }
  await run(plan)
  const names = rowsOf(database.rows("t"), ["text"]).map(({ text }) => text)
  expect(names).toEqual(Array.from({ length: ITEMS }, (_, i) => [`item-${i}#0`, `item-${i}#1`]).flat())
})

it("tells what it did on purpose: partial items have their rows, and a record", async () => {
  const database = new MemoryDatabase()
  const { items } = await run(faulty(planOf(database), { normalizer: { partial: 0.5 } }))
  expect(items).toMatchObject({ done: ITEMS, partial: failuresOf(database).length })
  expect(items.partial).toBeGreaterThan(0)
})

it("refuses shares that are none", () => {
  const plan = planOf(new MemoryDatabase())
  expect(() => faulty(plan, { sink: { fail: 2 } })).toThrow(ConfigError)
  expect(() => faulty(plan, { normalizer: { fail: 0.6, die: 0.6 } })).toThrow("at most 1 together, found 1.2")
  expect(() => faulty(plan, { source: { fail: Number.NaN } })).toThrow("from 0 to 1 as fail")
})
