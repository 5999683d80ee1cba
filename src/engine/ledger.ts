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

/** Versions of the newest commit that have no last row: a run was stopped inside them. */
const cutItems = async (writer: Writer, commit: number, done: HashSet): Promise<ItemVersion[]> => {
  const cut = new Map<string, ItemVersion>()
  for await (const batch of writer.read(["_item", "_version"], { commit })) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const version = textAt(batch, "_version", row)
      const key = `${item}\0${version}`
      if (!cut.has(key) && !done.has(keyOf(item, version))) cut.set(key, { item, version })
    }
  }
  return [...cut.values()]
}

/** `ignore`: what is in the table counts for nothing, as it will be replaced. */
export interface LedgerOptions {
  readonly ignore: boolean
}

/** Reads the ledger and clears away what a run that was killed had begun: cut items, and side rows of no commit. */
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
  await removeItems(writer, await cutItems(writer, lastCommit, versions))

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
    hasRecord: (item) => recorded.has(hash64(item)),
    addRecord: (item) => {
      recorded.add(hash64(item))
    },
  }
}
