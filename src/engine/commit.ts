/**
 * Writes groups of rows as commits, one at a time, while the next group fills.
 *
 * The order of writes is what makes a kill harmless: records of items without rows, then side rows, then the rows
 * themselves with their checkpoint. Whatever of it is missing afterwards is found and mended by `openLedger`.
 */
import { setImmediate } from "node:timers/promises"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ItemRecord } from "../model/item.ts"
import type { RowFilter, Version, Writer } from "../model/sink.ts"
import type { Group } from "./buffer.ts"
import { crashPoint } from "./crash-point.ts"
import { attempt } from "./effects.ts"
import type { Ledger } from "./ledger.ts"
import { removeItems, removeOlder } from "./mend.ts"
import { ITEMS, recordBatch } from "./records.ts"
import type { StageTally } from "./stage-tally.ts"

/** Records of items that come with a commit; those without one are written when so many have come together. */
export const RECORDS_AT_ONCE = 1000

interface Hooks {
  readonly tally: StageTally
  /** `seconds` is what it took to write the rows and what belongs to them. */
  readonly committed: (version: Version, group: Group, seconds: number) => void
}

export interface Commit {
  /** What `_commit` says in its rows and records. */
  readonly number: number
  readonly group: Group | undefined
  readonly records: readonly ItemRecord[]
}

export interface Committer {
  /** Of the commit in flight. */
  readonly rows: number
  /** Starts a commit after the one in flight has ended. */
  readonly commit: (next: Commit) => Effect.Effect<void, Error, Scope.Scope>
  /** Waits for the commit in flight. */
  readonly settled: Effect.Effect<void, Error>
  /** Deletes committed rows: of items that failed after some of them were committed, or that have become empty. */
  readonly remove: (items: NonNullable<RowFilter["items"]>) => Effect.Effect<void, Error>
}

const writeRecords = async (writer: Writer, commit: Commit, ledger: Ledger): Promise<void> => {
  if (commit.records.length === 0) return
  // An item has one record: that of what became of it last.
  const records = [...new Map(commit.records.map((record) => [record.item, record])).values()]
  crashPoint("before-records")
  const side = await writer.side(ITEMS)
  const known = records.filter((record) => ledger.hasRecord(record.item))
  if (known.length > 0) await side.remove({ items: known.map(({ item }) => ({ item })) })
  await side.write(recordBatch(records, commit.number))
  await side.commit()
  for (const { item } of records) ledger.addRecord(item)
  crashPoint("after-records")
}

const writeSide = async (writer: Writer, side: Group["side"]): Promise<void> => {
  for (const [name, batches] of side) {
    crashPoint("before-side")
    const target = await writer.side(name)
    for (const batch of batches) await target.write(batch)
    await target.commit()
    crashPoint("after-side")
  }
}

/** `replace` makes the first commit with rows replace those that were there. */
export const openCommitter = (writer: Writer, ledger: Ledger, replace: boolean, hooks: Hooks): Committer => {
  const { tally, committed } = hooks
  const firstNumber = ledger.lastCommit + 1
  let replaced = !replace
  /** Items that this run has recorded as partial, until their last row is committed. */
  const partial = new Set<string>()
  let rows = 0
  let inFlight: Fiber.Fiber<void, Error> | undefined

  const writeRows = async (group: Group): Promise<Version> => {
    for (const batch of group.batches) await writer.write(batch)
    crashPoint("before-commit")
    const version = replaced ? await writer.commit() : await writer.overwrite()
    crashPoint("after-commit")
    if (!replaced) {
      replaced = true
      for (const name of await writer.sides()) await (await writer.side(name)).remove({ before: firstNumber })
    }
    return version
  }

  /** Removes the records of items that have come through, but for what this very run has to say of them. */
  const voidRecords = async ({ spans }: Group): Promise<void> => {
    const items = spans.filter(({ item, end }) => end && !partial.delete(item) && ledger.hasRecord(item))
    if (items.length === 0) return
    crashPoint("before-void")
    await (await writer.side(ITEMS)).remove({ items: items.map(({ item }) => ({ item })) })
    crashPoint("after-void")
  }

  const write = async (next: Commit): Promise<void> => {
    const begun = performance.now()
    await writeRecords(writer, next, ledger)
    for (const { item, status } of next.records) if (status === "partial") partial.add(item)
    const { group } = next
    if (!group) return
    tally.inFlight = 1
    rows = group.spans.reduce((sum, span) => sum + span.rows, 0)
    await writeSide(writer, group.side)
    const version = await writeRows(group)
    const seconds = (performance.now() - begun) / 1000
    tally.inFlight = 0
    tally.took(seconds)
    rows = 0
    committed(version, group, seconds)
    // Only a changed item that `sync` does anew was there before.
    const changed = group.spans.filter(({ item, end }) => end && ledger.had(item))
    if (changed.length > 0) {
      crashPoint("before-older")
      await removeOlder(writer, changed)
      crashPoint("after-older")
    }
    await voidRecords(group)
    crashPoint("before-maintain")
    await writer.maintain()
    crashPoint("after-maintain")
  }

  const settled = Effect.suspend(() => (inFlight ? Fiber.join(inFlight) : Effect.void))

  return {
    settled,
    get rows() {
      return rows
    },
    commit: (next) =>
      Effect.gen(function* () {
        yield* settled
        if (!next.group && next.records.length === 0) return
        // A store's write cannot be taken back half way, so nobody may leave before it has ended.
        inFlight = yield* Effect.forkScoped(Effect.uninterruptible(attempt(() => write(next))), {
          startImmediately: true,
        })
        // What the caller does next keeps this thread busy: the store gets its rows first, and writes meanwhile.
        yield* attempt(() => setImmediate())
      }),
    remove: (items) =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          yield* settled
          yield* attempt(() => removeItems(writer, items))
        }),
      ),
  }
}
