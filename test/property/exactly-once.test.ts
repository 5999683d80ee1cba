/**
 * Random items, triggers and disturbances (crashes, failing parts, stops) against a model of what a table has to hold:
 * each row of each item that did not fail, once, in the source's order, whatever was interrupted and however often.
 */
import * as fc from "fast-check"
import { afterEach, expect, it } from "vitest"
import { CRASH_POINTS, onCrashPoint } from "../../src/engine/crash-point.ts"
import type { Plan } from "../../src/engine/plan.ts"
import { type Batch, concatBatches } from "../../src/model/batch.ts"
import type { Sink } from "../../src/model/sink.ts"
import { run, start, type TriggerOption } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { type Faults, faulty } from "../../src/testing/index.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

interface Made extends Behaviour {
  readonly resumable?: boolean
}

const behaviour: fc.Arbitrary<Made> = fc.record(
  {
    rows: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 120 })),
    end: fc.constantFrom("throw", "partial"),
    notes: fc.boolean(),
    resumable: fc.boolean(),
    /** Only threads wait; there, items end out of order. */
    wait: fc.constantFrom(0, 1),
  },
  { requiredKeys: ["rows"] },
)

const trigger: fc.Arbitrary<{ flush: TriggerOption; commit: TriggerOption }> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 50, max: 5000 }))
  .map(([flush, more, bytes]) => ({ flush, commit: { rows: flush + more, bytes } }))

/** What happens to one run. */
type Disturbance =
  | { readonly kind: "crash"; readonly point: string; readonly after: number }
  | { readonly kind: "faults"; readonly faults: Faults; readonly retry: boolean }
  | { readonly kind: "stop"; readonly after: number; readonly drain: boolean }

const share = fc.constantFrom(0, 0.05, 0.2)

const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  fc.record({
    kind: fc.constant("crash" as const),
    point: fc.constantFrom(...CRASH_POINTS),
    after: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    kind: fc.constant("faults" as const),
    faults: fc.record({
      seed: fc.integer(),
      source: fc.record({ fail: share, unreadable: share }),
      normalizer: fc.record({ fail: share }),
      sink: fc.record({ fail: share, lostReply: share }),
    }),
    retry: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("stop" as const), after: fc.integer({ min: 0, max: 6 }), drain: fc.boolean() }),
)

/** Runs the plan, disturbed. What stops a run has to be what was done to it. */
const disturb = async (plan: Plan, what: Disturbance): Promise<boolean> => {
  const expected = (error: Error): boolean => {
    expect(error.message).toMatch(/^crash at|A fault on purpose/)
    return true
  }
  if (what.kind === "stop") {
    let left = what.after
    const handle = start(plan, { onEvent: () => left-- === 0 && setImmediate(() => handle.cancel(what)) })
    return handle.result.then(({ ending }) => ending === "interrupted", expected)
  }
  if (what.kind === "crash") armCrash(what.point, what.after)
  const disturbed =
    what.kind === "faults" ? faulty({ ...plan, failed: what.retry ? "retry" : "skip" }, what.faults) : plan
  return run(disturbed)
    .then(({ items }) => items.failed > 0, expected)
    .finally(() => onCrashPoint(() => {}))
}

const armCrash = (point: string, after: number): void => {
  let left = after
  onCrashPoint((reached) => {
    if (reached === point && left-- === 0) throw new Error(`crash at ${point}`)
  })
}

afterEach(() => onCrashPoint(() => {}))

type Row = ReturnType<typeof rowsOf>[number]

/** Where a table "t" is written to, and all rows of it or of one of its side tables. */
interface Store {
  readonly sink: Sink
  readonly rows: (side?: string) => Promise<Batch>
}

const inMemory = async (): Promise<Store> => {
  const database = new MemoryDatabase()
  return {
    sink: memory({ table: "t", database }),
    rows: async (side) => database.rows(side === undefined ? "t" : `t__${side}`),
  }
}

const inParquet = async (): Promise<Store> => {
  const sink = parquet({ uri: await tempFolder(), table: "t" })
  return {
    sink,
    rows: async (side) => {
      const main = await sink.open({ create: "if-missing" })
      const writer = side === undefined ? main : await main.side(side)
      const batches: Batch[] = []
      for await (const batch of writer.read([...writer.schema.keys()])) batches.push(batch)
      await main.close()
      return concatBatches(batches)
    },
  }
}

it.each([
  ["memory", "main", inMemory, 150],
  // Items end out of order; the threads have to be started for each run.
  ["memory", "thread", inMemory, 6],
  // A commit is a file that is forced to the disk.
  ["parquet", "main", inParquet, 6],
] as const)("holds every row once in %s from lane %s", { timeout: 120_000 }, async (_, lane, newStore, runs) => {
  let interrupted = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 25 }),
      trigger,
      fc.array(disturbance, { minLength: 1, maxLength: 6 }),
      async (behaviours, { flush, commit }, planned) => {
        const store = await newStore()
        const given = lane === "thread" ? behaviours : behaviours.map((one) => ({ ...one, wait: 0 }))
        const items = itemsOf(given).map((item, i) =>
          behaviours[i]?.resumable ? { ...item, resumable: true as const } : item,
        )
        const plan = testPlan(items, store.sink, lane, { flushEvery: flush, commitEvery: commit, failed: "retry" })
        for (const what of planned) if (await disturb(plan, what)) interrupted++
        const summary = await run(plan)
        const { listed, done, unchanged, empty, failed } = summary.items
        expect(listed).toBe(done + unchanged + empty + failed)

        // Items that were made to fail come later than their place in the source.
        const moved = planned.some(({ kind }) => kind === "faults")
        const place = (row: Row): number => Number(String(row._item).slice("item-".length)) * 1000 + Number(row._row)
        const inOrder = (rows: Row[]): Row[] => (moved ? rows.sort((a, b) => place(a) - place(b)) : rows)
        const rows = inOrder(rowsOf(await store.rows(), ["_item", "_row", "_end", "text"]))
        const kept = items.filter((_, i) => behaviours[i]?.end !== "throw" && (behaviours[i]?.rows ?? 0) > 0)
        expect(rows).toEqual(
          kept.flatMap((item) => {
            const count = (item.payload as unknown as Behaviour).rows
            return Array.from({ length: count }, (_, row) => ({
              _item: item.id,
              _row: row,
              _end: row === count - 1,
              text: `${item.id}#${row}`,
            }))
          }),
        )
        const notes = inOrder(rowsOf(await store.rows("notes"), ["_item", "_row"]))
        const noted = new Set(items.filter((_, i) => behaviours[i]?.notes).map((item) => item.id))
        expect(notes).toEqual(
          rows.filter((row) => noted.has(String(row._item))).map(({ _item, _row }) => ({ _item, _row })),
        )
        const failures = rowsOf(await store.rows("items"), ["_item", "status"]).filter((row) => row.status === "failed")
        expect(failures.map((row) => row._item).sort()).toEqual(
          items.flatMap((item, i) => (behaviours[i]?.end === "throw" ? [item.id] : [])).sort(),
        )
      },
    ),
    { numRuns: runs },
  )
  // Plans without disturbances would prove little; of few plans, chance may leave few.
  if (runs >= 100) expect(interrupted).toBeGreaterThan(runs * 0.2)
})
