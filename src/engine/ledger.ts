/**
 * What the table says about itself: which items are in it whole, which were cut, which are known to have no rows.
 *
 * The table is its own ledger. An item is done when a row with `_end` of its current version is committed; nothing else
 * is trusted. Millions of items are remembered as 64-bit hashes.
 */
import type { Batch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import { type Hash64, HashSet, hash64 } from "../model/hash-set.ts"
import type { RowFilter, Writer } from "../model/sink.ts"
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
  /** The item was in the table whole when the run began, in whatever version. */
  had(item: string): boolean
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

export const textAt = (batch: Batch, name: string, row: number): string => {
  const column = batch.columns.get(name)
  return column ? String(valueAt(column, row)) : ""
}

const keyOf = (item: string, version: string): Hash64 => hash64(`${item}\0${version}`)

/** Deletes rows from the side tables and then from the table itself: never the other way round. */
const remove = async (writer: Writer, filter: RowFilter): Promise<void> => {
  if (filter.items?.length === 0) return
  crashPoint("before-remove-side")
  for (const name of await writer.sides()) {
    if (name !== ITEMS) await (await writer.side(name)).remove(filter)
  }
  crashPoint("before-remove")
  await writer.remove(filter)
  crashPoint("after-remove")
}

/** Deletes all rows of the items: those of the given version, where one is given. */
export const removeItems = (writer: Writer, items: NonNullable<RowFilter["items"]>): Promise<void> =>
  remove(writer, { items })

/** Deletes what there is of the items in other versions than the given ones. */
export const removeOlder = (writer: Writer, items: readonly ItemVersion[]): Promise<void> =>
  remove(writer, { items: items.map(({ item }) => ({ item })), except: items })

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

/** What is in the table whole. */
interface Whole {
  readonly items: HashSet
  readonly versions: HashSet
  /** Items that are there in several versions. */
  readonly doubled: readonly string[]
}

const wholeItems = async (writer: Writer): Promise<Whole> => {
  const items = new HashSet()
  const versions = new HashSet()
  const doubled: string[] = []
  for await (const batch of writer.read(["_item", "_version"], { end: true })) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      if (!items.add(hash64(item))) doubled.push(item)
      versions.add(keyOf(item, textAt(batch, "_version", row)))
    }
  }
  return { items, versions, doubled }
}

/** The newest versions of items that a run was stopped at after it had added them, and before it removed the older ones. */
const newestOf = async (writer: Writer, doubled: readonly string[]): Promise<ItemVersion[]> => {
  const newest = new Map<string, ItemVersion & { readonly commit: number }>()
  const filter = { end: true, items: doubled.map((item) => ({ item })) } as const
  for await (const batch of writer.read(["_item", "_version", "_commit"], filter)) {
    const commits = batch.columns.get("_commit")?.values
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const commit = Number(commits?.[row])
      if (commit < (newest.get(item)?.commit ?? 0)) continue
      newest.set(item, { item, version: textAt(batch, "_version", row), commit })
    }
  }
  return [...newest.values()]
}

/**
 * Reads the ledger and clears away what a killed run left: side rows of no commit, and older versions of items whose
 * new one is in the table. Items that were cut are left to `mend`.
 */
export const openLedger = async (writer: Writer, { ignore }: LedgerOptions): Promise<Ledger> => {
  const lastCommit = await writer.edge("last")
  let whole = await wholeItems(writer)
  if (whole.doubled.length > 0) {
    await removeOlder(writer, await newestOf(writer, whole.doubled))
    whole = await wholeItems(writer)
  }
  const { items, versions } = whole
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
      if (failed.has(key)) return "failed"
      if (items.has(hash64(item))) return "outdated"
      return empty.has(key) ? "empty" : "new"
    },
    had: (item) => !ignore && items.has(hash64(item)),
    mend: async (next) => {
      const kept = cut.find(
        ({ item, version }) => next?.item.resumable && item === next.item.id && version === next.version,
      )
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
