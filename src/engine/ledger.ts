/**
 * What the table says about itself: which items are in it whole, which were cut, which are known to have no rows.
 *
 * The table is its own ledger. An item is done when a row with `_end` of its current version is committed; nothing else
 * is trusted. Millions of items are remembered as 64-bit hashes.
 */
import type { Batch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import { type Hash64, HashSet, hash64 } from "../model/hash-set.ts"
import type { Writer } from "../model/sink.ts"
import { crashPoint } from "./crash-point.ts"
import type { TaskItem } from "./protocol.ts"

/** Side table of the items that have no rows, or not all of them. */
export const ITEMS = "items"

/** How an item stands before it is done: `new`, in the table at this or another version, or known to have no rows. */
export type Standing = "new" | "done" | "outdated" | "failed" | "empty"

export interface ItemVersion {
  readonly item: string
  readonly version: string
}

export interface Ledger {
  /** Number of the newest commit. */
  readonly lastCommit: number
  /** Items that are in the table whole. */
  readonly items: number
  standing(item: string, version: string): Standing
  /**
   * Mends what a killed run left in the table: removes the rows of the items that it was inside of. To be called before
   * the first item is done, with that item: where it is the one that was cut, and resumable, its rows stay. When there
   * is nothing to do, it is called without one.
   *
   * @returns how many rows of the given item are in the table.
   */
  mend(next?: Pick<TaskItem, "item" | "version">): Promise<number>
  /** There is a record of the item, at whatever version. */
  hasRecord(item: string): boolean
  addRecord(item: string): void
}

const textAt = (batch: Batch, name: string, row: number): string => {
  const column = batch.columns.get(name)
  return column ? String(valueAt(column, row)) : ""
}

const keyOf = (item: string, version: string): Hash64 => hash64(`${item}\0${version}`)

/** Deletes rows of whole items from the side tables and then from the table itself: never the other way round. */
export const removeItems = async (writer: Writer, items: readonly ItemVersion[]): Promise<void> => {
  if (items.length === 0) return
  crashPoint("before-remove-side")
  for (const name of await writer.sides()) {
    if (name !== ITEMS) await (await writer.side(name)).remove({ items })
  }
  crashPoint("before-remove")
  await writer.remove({ items })
  crashPoint("after-remove")
}

/** An item that a run was stopped inside of; `rows` are committed. */
interface Cut extends ItemVersion {
  readonly rows: number
}

/** Versions of the newest commit that have no last row: a run was stopped inside them. */
const cutItems = async (writer: Writer, commit: number, done: HashSet): Promise<Cut[]> => {
  const cut = new Map<string, Cut>()
  for await (const batch of writer.read(["_item", "_version", "_row"], { commit })) {
    const rows = batch.columns.get("_row")?.values
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const version = textAt(batch, "_version", row)
      if (!done.has(keyOf(item, version))) {
        cut.set(`${item}\0${version}`, { item, version, rows: Number(rows?.[row]) + 1 })
      }
    }
  }
  return [...cut.values()]
}

/** `ignore`: what is in the table counts for nothing, as it will be replaced. */
export interface LedgerOptions {
  readonly ignore: boolean
}

/** Reads the ledger and clears away side rows of no commit; cut items are left to `mend`. */
export const openLedger = async (writer: Writer, { ignore }: LedgerOptions): Promise<Ledger> => {
  const lastCommit = await writer.edge("last")
  const items = new HashSet()
  const versions = new HashSet()
  for await (const batch of writer.read(["_item", "_version"], { end: true })) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      items.add(hash64(item))
      versions.add(keyOf(item, textAt(batch, "_version", row)))
    }
  }
  const cut = await cutItems(writer, lastCommit, versions)

  const failed = new HashSet()
  const empty = new HashSet()
  const recorded = new HashSet()
  const sides = await writer.sides()
  for (const name of sides) {
    const side = await writer.side(name)
    if (name !== ITEMS) {
      if ((await side.edge("last")) > lastCommit) await side.remove({ after: lastCommit })
      continue
    }
    for await (const batch of side.read(["_item", "_version", "status"])) {
      for (let row = 0; row < batch.rows; row++) {
        const item = textAt(batch, "_item", row)
        const status = textAt(batch, "status", row)
        recorded.add(hash64(item))
        if (status === "failed") failed.add(keyOf(item, textAt(batch, "_version", row)))
        if (status === "empty") empty.add(keyOf(item, textAt(batch, "_version", row)))
      }
    }
  }

  return {
    lastCommit,
    items: items.size,
    standing: (item, version) => {
      if (ignore) return "new"
      const key = keyOf(item, version)
      if (versions.has(key)) return "done"
      if (items.has(hash64(item))) return "outdated"
      if (failed.has(key)) return "failed"
      return empty.has(key) ? "empty" : "new"
    },
    mend: async (next) => {
      // What is about to be replaced has nothing to go on with.
      const kept = ignore
        ? undefined
        : cut.find(({ item, version }) => next?.item.resumable && item === next.item.id && version === next.version)
      await removeItems(
        writer,
        cut.filter((one) => one !== kept),
      )
      return kept?.rows ?? 0
    },
    hasRecord: (item) => recorded.has(hash64(item)),
    addRecord: (item) => {
      recorded.add(hash64(item))
    },
  }
}
