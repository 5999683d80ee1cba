/**
 * Random items, triggers and crashes against a model of what a table has to hold: each row of each item that did not
 * fail, once, in the source's order, whatever was interrupted and however often.
 */
import * as fc from "fast-check"
import { afterEach, expect, it } from "vitest"
import { CRASH_POINTS, onCrashPoint } from "../../src/engine/crash-point.ts"
import { type Batch, concatBatches } from "../../src/model/batch.ts"
import type { Sink } from "../../src/model/sink.ts"
import { run, type TriggerOption } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, rowsOf, testPlan } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/tables.ts"

interface Made extends Behaviour {
  readonly resumable?: boolean
}

const behaviour: fc.Arbitrary<Made> = fc.record(
  {
    rows: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 120 })),
    end: fc.constantFrom("throw", "partial"),
    notes: fc.boolean(),
    resumable: fc.boolean(),
  },
  { requiredKeys: ["rows"] },
)

const trigger: fc.Arbitrary<{ flush: TriggerOption; commit: TriggerOption }> = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 60 }), fc.integer({ min: 50, max: 5000 }))
  .map(([flush, more, bytes]) => ({ flush, commit: { rows: flush + more, bytes } }))

const crash = fc.record({ point: fc.constantFrom(...CRASH_POINTS), after: fc.integer({ min: 0, max: 3 }) })

const armCrash = (point: string, after: number): void => {
  let left = after
  onCrashPoint((reached) => {
    if (reached === point && left-- === 0) throw new Error(`crash at ${point}`)
  })
}

afterEach(() => onCrashPoint(() => {}))

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
  ["memory", inMemory, 250],
  // A commit is a file that is forced to the disk.
  ["parquet", inParquet, 10],
] as const)("holds every row once in %s, whatever was interrupted", { timeout: 120_000 }, async (_, newStore, runs) => {
  let crashes = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 25 }),
      trigger,
      fc.array(crash, { minLength: 1, maxLength: 6 }),
      async (behaviours, { flush, commit }, planned) => {
        const store = await newStore()
        const items = itemsOf(behaviours).map((item, i) =>
          behaviours[i]?.resumable ? { ...item, resumable: true as const } : item,
        )
        const plan = () => testPlan(items, store.sink, "main", { flushEvery: flush, commitEvery: commit })
        for (const { point, after } of planned) {
          armCrash(point, after)
          await run(plan()).catch((error: Error) => {
            expect(error.message).toMatch(/^crash at/)
            crashes++
          })
        }
        onCrashPoint(() => {})
        const summary = await run(plan())
        const { listed, done, unchanged, empty, failed } = summary.items
        expect(listed).toBe(done + unchanged + empty + failed)

        const rows = rowsOf(await store.rows(), ["_item", "_row", "_end", "text"])
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
        const notes = rowsOf(await store.rows("notes"), ["_item", "_row"])
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
  // Plans without crashes would prove little; of few plans, chance may leave few.
  if (runs >= 100) expect(crashes).toBeGreaterThan(runs * 0.2)
})
