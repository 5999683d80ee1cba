/**
 * A source that changes, synced again and again, with crashes: at the end the table is what the source is. An item
 * whose new version fails keeps the rows of the newest version that came through, whole.
 */
import * as fc from "fast-check"
import { afterEach, expect, it } from "vitest"
import { CHANGE_CRASH_POINTS, CRASH_POINTS, onCrashPoint } from "../../src/engine/crash-point.ts"
import type { Item } from "../../src/model/item.ts"
import { run, type TriggerOption } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { rowsOf, testPlan } from "../fixtures/plans.ts"

interface State extends Behaviour {
  readonly resumable?: boolean
}

const state: fc.Arbitrary<State | undefined> = fc.option(
  fc
    .record(
      {
        rows: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 150 })),
        end: fc.oneof(
          { weight: 1, arbitrary: fc.constant("throw" as const) },
          { weight: 4, arbitrary: fc.constant(undefined) },
        ),
        notes: fc.boolean(),
        resumable: fc.boolean(),
      },
      { requiredKeys: ["rows"] },
    )
    .map(({ end, ...rest }): State => (end ? { ...rest, end } : rest)),
  { nil: undefined, freq: 5 },
)

/** States of the source, one after the other: an item at a place stays as it is, changes, or is not there. */
const history = fc.integer({ min: 1, max: 12 }).chain((width) =>
  fc
    .array(fc.array(fc.oneof(state, fc.constant("same" as const)), { minLength: width, maxLength: width }), {
      minLength: 2,
      maxLength: 5,
    })
    .map((raw) => {
      let before: readonly (State | undefined)[] = new Array(width).fill(undefined)
      return raw.map((next) => {
        before = next.map((one, i) => (one === "same" ? before[i] : one))
        return before
      })
    }),
)

const crash = fc.option(
  fc.record({ point: fc.constantFrom(...CRASH_POINTS, ...CHANGE_CRASH_POINTS), after: fc.integer({ min: 0, max: 3 }) }),
)

const versionOf = (one: State): string => JSON.stringify(one)

const itemsOf = (states: readonly (State | undefined)[]): Item[] =>
  states.flatMap((one, index): Item[] =>
    one
      ? [
          {
            id: `item-${index}`,
            uri: `/nowhere/item-${index}`,
            version: versionOf(one),
            bytes: 100,
            payload: { ...one },
            ...(one.resumable && { resumable: true as const }),
          },
        ]
      : [],
  )

const trigger: fc.Arbitrary<{ flush: TriggerOption; commit: TriggerOption }> = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 40 }))
  .map(([flush, more]) => ({ flush, commit: flush + more }))

afterEach(() => onCrashPoint(() => {}))

it("makes the table what the source is, whatever was interrupted", { timeout: 120_000 }, async () => {
  let crashes = 0
  let changes = 0
  await fc.assert(
    fc.asyncProperty(history, trigger, fc.array(crash, { minLength: 5, maxLength: 5 }), async (states, every, plan) => {
      const database = new MemoryDatabase()
      const sync = (items: readonly Item[]) =>
        run(
          testPlan(items, memory({ table: "t", database }), "main", {
            mode: "sync",
            maxDeleteRatio: 1,
            flushEvery: every.flush,
            commitEvery: every.commit,
          }),
        )
      for (const [step, now] of states.entries()) {
        const planned = plan[step]
        let left = planned?.after ?? -1
        onCrashPoint((reached) => {
          if (reached === planned?.point && left-- === 0) throw new Error(`crash at ${reached}`)
        })
        await sync(itemsOf(now)).catch((error: Error) => {
          expect(error.message).toMatch(/^crash at/)
          crashes++
        })
      }
      onCrashPoint(() => {})
      const last = states.at(-1) ?? []
      const { items } = await sync(itemsOf(last))
      expect(items.listed).toBe(items.done + items.unchanged + items.empty + items.failed)
      expect(items.outdated).toBe(0)

      const rows = rowsOf(database.rows("t"), ["_item", "_version", "_row", "_end", "text"])
      const good = (one: State | undefined): boolean => one !== undefined && one.end === undefined && one.rows > 0
      for (const [index, one] of last.entries()) {
        const id = `item-${index}`
        const mine = rows.filter(({ _item }) => _item === id)
        const versions = new Set(mine.map(({ _version }) => String(_version).replace(/-r$/, "")))
        if (one && good(one)) expect([...versions]).toEqual([versionOf(one)])
        else if (one?.end === undefined) expect(mine).toEqual([])
        else {
          // Whichever came through last; there may have been a crash in each run before.
          expect(versions.size).toBeLessThanOrEqual(1)
          const earlier = new Set(states.flatMap(({ [index]: then }) => (then && good(then) ? [versionOf(then)] : [])))
          for (const version of versions) expect(earlier).toContain(version)
          if (versions.size > 0) changes++
        }
        const [version] = versions
        const count = version === undefined ? 0 : (JSON.parse(version) as State).rows
        expect(mine.map(({ _row }) => _row)).toEqual(Array.from({ length: count }, (_, row) => row))
        expect(mine.map(({ _end }) => _end)).toEqual(mine.map((_, row) => row === count - 1))
      }
      const noted = rows.filter(({ _version }) => String(_version).includes('"notes":true'))
      const keys = (table: readonly Record<string, unknown>[]) =>
        table.map(({ _item, _row, _version }) => `${_item} ${_row} ${_version}`).sort()
      expect(keys(rowsOf(database.rows("t__notes")))).toEqual(keys(noted))
      const failures = rowsOf(database.rows("t__items"), ["_item", "status"]).filter(
        ({ status }) => status === "failed",
      )
      const failing = last.flatMap((one, index) => (one?.end === "throw" ? [`item-${index}`] : []))
      expect(failures.map(({ _item }) => String(_item)).sort()).toEqual(failing.sort())
    }),
    { numRuns: 300 },
  )
  expect(crashes).toBeGreaterThan(50)
  expect(changes).toBeGreaterThan(0)
})
