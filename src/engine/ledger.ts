/**
 * What the table says about itself: which items are in it whole, which were cut, which are known to have no rows.
 *
 * The table is its own ledger. An item is done when a row with `_end` of its current version is committed; nothing else
 * is trusted. Millions of items are remembered as 64-bit hashes.
 */
import type { Batch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import { type Hash64, HashMap, HashSet, hash64, hashAscii } from "../model/hash-set.ts"
import type { ItemRecord } from "../model/item.ts"
import { isSqlItem, SQL_ITEM_LENGTH } from "../model/rows.ts"
import type { Reader } from "../model/sink.ts"
import { ITEMS, REMOVING, type Removal, removalOf } from "./records.ts"

/** How an item stands before it is done: `new`, in the table at this or another version, or known to have no rows. */
export type Standing = "new" | "done" | "outdated" | "failed" | "empty"

export interface ItemVersion {
  readonly item: string
  readonly version: string
}

/** An item that a run was stopped inside of; `rows` are committed. */
export interface Cut extends ItemVersion {
  readonly rows: number
}

export interface Ledger {
  /** Number of the newest commit. */
  readonly lastCommit: number
  /** Items that are in the table whole, without those that were put in by hand. */
  readonly items: number
  standing(item: string, version: string): Standing
  /** The item was in the table whole when the run began, in whatever version. */
  had(item: string): boolean
  /** Items that a run was stopped inside of. */
  readonly cut: readonly Cut[]
  /** The newest versions of items that are there in several: a run was stopped before it removed the older ones. */
  readonly newest: readonly ItemVersion[]
  /** What a run was about to remove when it was stopped: some of it may still be there, and counts for nothing. */
  readonly removals: readonly Removal[]
  /** Items whose record says nothing any more. */
  readonly voidRecords: readonly string[]
  /** How often the item has failed, as far as its record says. */
  attempts(item: string): number
  /** There is a record of the item, at whatever version. */
  hasRecord(item: string): boolean
  addRecord(item: string): void
}

export const textAt = (batch: Batch, name: string, row: number): string => {
  const column = batch.columns.get(name)
  return column ? String(valueAt(column, row)) : ""
}

const numberAt = (batch: Batch, name: string, row: number): number => Number(batch.columns.get(name)?.values[row] ?? 0)

/** The hash of a text, from its column's bytes: to make strings of millions of names takes longer than all else. */
const hashAt = (batch: Batch, name: string, row: number): Hash64 => {
  const { values, offsets } = batch.columns.get(name) ?? {}
  const hash = values instanceof Uint8Array && hashAscii(values, offsets?.[row] ?? 0, offsets?.[row + 1] ?? 0)
  return hash || hash64(textAt(batch, name, row))
}

const keyOf = (item: string, version: string): Hash64 => hash64(`${item}\0${version}`)

/** Versions of the newest commit that have no last row: a run was stopped inside them. */
const cutItems = async (reader: Reader, commit: number, whole: Whole): Promise<Cut[]> => {
  const cut = new Map<string, Cut>()
  for await (const batch of reader.read(["_item", "_version", "_row"], { commit })) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const version = textAt(batch, "_version", row)
      if (stateOf(whole, item, version) === "this") continue
      cut.set(`${item}\0${version}`, { item, version, rows: numberAt(batch, "_row", row) + 1 })
    }
  }
  return [...cut.values()]
}

/** What is in the table whole. */
interface Whole {
  /** Hashes of the versions, by those of the items. */
  readonly versions: HashMap
  /** Items that are there in several versions. */
  readonly doubled: readonly string[]
  /** How many are rows of an INSERT. */
  readonly inserted: number
}

/** The length tells nearly all others without a text being made. */
const isInserted = (batch: Batch, row: number): boolean => {
  const { offsets } = batch.columns.get("_item") ?? {}
  return (offsets?.[row + 1] ?? 0) - (offsets?.[row] ?? 0) === SQL_ITEM_LENGTH && isSqlItem(textAt(batch, "_item", row))
}

/** `newest` are the versions that count of items that are there in several. */
const wholeItems = async (reader: Reader, newest: ReadonlyMap<string, string>): Promise<Whole> => {
  const versions = new HashMap()
  const doubled: string[] = []
  let inserted = 0
  for await (const batch of reader.read(["_item", "_version"], { end: true })) {
    for (let row = 0; row < batch.rows; row++) {
      if (newest.size > 0) {
        const version = textAt(batch, "_version", row)
        if ((newest.get(textAt(batch, "_item", row)) ?? version) !== version) continue
      }
      if (!versions.add(hashAt(batch, "_item", row), hashAt(batch, "_version", row))) {
        doubled.push(textAt(batch, "_item", row))
      } else if (isInserted(batch, row)) inserted++
    }
  }
  return { versions, doubled, inserted }
}

/** Whether it is in the table whole, in this version or in another one. */
const stateOf = ({ versions }: Whole, item: string, version: string): "this" | "another" | undefined => {
  const found = versions.get(hash64(item))
  if (!found) return undefined
  const { high, low } = hash64(version)
  return found.high === high && found.low === low ? "this" : "another"
}

/** The newest versions of items that a run was stopped at after it had added them, and before it removed the older ones. */
const newestOf = async (reader: Reader, doubled: readonly string[]): Promise<ItemVersion[]> => {
  if (doubled.length === 0) return []
  const newest = new Map<string, ItemVersion & { readonly commit: number }>()
  const filter = { end: true, items: doubled.map((item) => ({ item })) } as const
  for await (const batch of reader.read(["_item", "_version", "_commit"], filter)) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const commit = numberAt(batch, "_commit", row)
      if (commit < (newest.get(item)?.commit ?? 0)) continue
      newest.set(item, { item, version: textAt(batch, "_version", row), commit })
    }
  }
  return [...newest.values()]
}

/** `ignore`: what is in the table counts for nothing, as it will be replaced. */
export interface LedgerOptions {
  readonly ignore: boolean
}

interface Records {
  readonly failed: HashSet
  readonly empty: HashSet
  readonly recorded: HashSet
  readonly attempts: HashMap
  readonly removals: readonly Removal[]
  /** Items whose record says nothing any more: they have come through since. */
  readonly void: readonly string[]
}

/** Of the items with records of failure, by their commits, those that have come through in another version since. */
const outlived = async (reader: Reader, failures: ReadonlyMap<string, number>): Promise<string[]> => {
  if (failures.size === 0) return []
  const items: string[] = []
  const filter = { end: true, items: [...failures.keys()].map((item) => ({ item })) } as const
  for await (const batch of reader.read(["_item", "_commit"], filter)) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      if (numberAt(batch, "_commit", row) >= (failures.get(item) ?? Infinity)) items.push(item)
    }
  }
  return items
}

const readRecords = async (reader: Reader, whole: Whole, cut: readonly Cut[]): Promise<Records> => {
  const failed = new HashSet()
  const empty = new HashSet()
  const recorded = new HashSet()
  const attempts = new HashMap()
  const voided: string[] = []
  const removals: Removal[] = []
  /** Failures of items that are in the table in another version: an older one that stays, or a newer one. */
  const unsure = new Map<string, number>()
  const there = (await reader.sides()).includes(ITEMS)
  const columns = ["_item", "_version", "status", "attempts", "_commit"]
  for await (const batch of there ? (await reader.side(ITEMS)).read(columns) : []) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      const version = textAt(batch, "_version", row)
      const key = keyOf(item, version)
      const status = textAt(batch, "status", row)
      const name = hash64(item)
      if (status === REMOVING) {
        removals.push(removalOf(item, version))
        continue
      }
      recorded.add(name)
      if (status === "failed") {
        const state = stateOf(whole, item, version)
        if (state === "this") voided.push(item)
        else if (state === "another") unsure.set(item, numberAt(batch, "_commit", row))
        failed.add(key)
        attempts.set(name, { high: 0, low: numberAt(batch, "attempts", row) })
      } else {
        // Rows of another version are newer: the item came through since. Or they are older, and this one was cut.
        const isCut = cut.some((one) => one.item === item && one.version === version)
        if (stateOf(whole, item, version) === "another" && !isCut) voided.push(item)
        if (status === "empty") empty.add(key)
      }
    }
  }
  return { failed, empty, recorded, attempts, removals, void: [...voided, ...(await outlived(reader, unsure))] }
}

/** What the item's record says to be missing of it; undefined where nothing is, as far as it is known. */
export const missingOf = async (
  reader: Reader,
  item: ItemVersion,
): Promise<Pick<ItemRecord, "stage" | "error"> | undefined> => {
  if (!(await reader.sides()).includes(ITEMS)) return undefined
  const records = (await reader.side(ITEMS)).read(["status", "stage", "error"], { items: [item] })
  for await (const batch of records) {
    for (let row = 0; row < batch.rows; row++) {
      if (textAt(batch, "status", row) !== "partial") continue
      return { stage: textAt(batch, "stage", row) as ItemRecord["stage"], error: textAt(batch, "error", row) }
    }
  }
  return undefined
}

/** Reads the ledger; changes nothing. */
export const readLedger = async (reader: Reader, { ignore }: LedgerOptions): Promise<Ledger> => {
  const lastCommit = await reader.edge("last")
  let whole = await wholeItems(reader, new Map())
  const newest = await newestOf(reader, whole.doubled)
  if (newest.length > 0) {
    whole = await wholeItems(reader, new Map(newest.map(({ item, version }) => [item, version])))
  }
  const cut = await cutItems(reader, lastCommit, whole)
  const records = await readRecords(reader, whole, cut)
  return {
    lastCommit,
    items: whole.versions.size - whole.inserted,
    cut,
    newest,
    voidRecords: records.void,
    removals: records.removals,
    standing: (item, version) => {
      if (ignore) return "new"
      const state = stateOf(whole, item, version)
      if (state === "this") return "done"
      const key = keyOf(item, version)
      if (records.failed.has(key)) return "failed"
      if (state === "another") return "outdated"
      return records.empty.has(key) ? "empty" : "new"
    },
    had: (item) => !ignore && whole.versions.get(hash64(item)) !== undefined,
    attempts: (item) => records.attempts.get(hash64(item))?.low ?? 0,
    hasRecord: (item) => records.recorded.has(hash64(item)),
    addRecord: (item) => {
      records.recorded.add(hash64(item))
    },
  }
}
