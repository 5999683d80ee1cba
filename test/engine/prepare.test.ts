import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { batchOf } from "../../src/model/batch.ts"
import { int32Column } from "../../src/model/column.ts"
import type { Item } from "../../src/model/item.ts"
import type { Normalize } from "../../src/model/normalizer.ts"
import { planOf, type RunSettings, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"

const setUp = (ids: readonly string[], hangAt?: string) => {
  const prepared: string[] = []
  const signals: AbortSignal[] = []
  const done: string[] = []
  const normalize: Normalize = async function* (item, _options, { signal }) {
    if (item.id === hangAt) await sleep(60_000, undefined, { signal })
    done.push(item.id)
    yield { batch: batchOf({ n: int32Column([1]) }) }
  }
  const prepare = (items: readonly Item[], signal: AbortSignal): void => {
    prepared.push(...items.map(({ id }) => id))
    signals.push(signal)
    // What comes first is not behind what was prepared after it.
    if (items[0]?.id === ids[0]) expect(done).toEqual([])
  }
  const source = {
    name: "list",
    items: async function* () {
      for (const id of ids) yield { id, uri: id, version: "1", bytes: 8 << 20 }
    },
  }
  const feed = {
    source,
    code: { normalize, prepare, options: {} },
    route: () => ({ lane: "main", recipe: "r" }) as const,
  }
  const begin = (database: MemoryDatabase, settings: RunSettings = {}) =>
    start(planOf({ name: "p", feed, sink: memory({ table: "t", database }) }, settings))
  return { prepared, signals, done, begin }
}

it("prepares the items that will be normalized, before them and no others", async () => {
  const database = new MemoryDatabase()
  await setUp(["b", "d"]).begin(database).result
  const { prepared, begin } = setUp(["a", "b", "c", "d", "e"])
  await begin(database).result
  expect(prepared).toEqual(["a", "c", "e"])
})

it("lets go of what was prepared when the run is over, also when it was stopped in the middle", async () => {
  const { prepared, signals, done, begin } = setUp(["a", "b", "c", "d"], "b")
  const handle = begin(new MemoryDatabase(), { workers: { threads: 2 }, shutdownTimeout: 50 })
  setTimeout(() => handle.cancel(), 100)
  expect((await handle.result).ending).toBe("interrupted")
  expect(signals.length).toBeGreaterThan(1)
  // What was not read to its end was told that nobody wants it any more.
  const left = prepared.flatMap((id, index) => (done.includes(id) ? [] : [{ id, aborted: signals[index]?.aborted }]))
  expect(left).toContainEqual({ id: "b", aborted: true })
  expect(left.every(({ aborted }) => aborted)).toBe(true)
})
