/** Which items two versions of a table differ in, as their hidden columns say: no other column is read. */

import { valueAt } from "../../model/column.ts"
import { TableError } from "../../model/errors.ts"
import { type Hash64, HashMap, HashSet, hash64 } from "../../model/hash-set.ts"
import { readCommitted } from "../../store/reader.ts"
import { type At, type OpenTable, openToRead } from "../open.ts"

export interface ItemChange {
  readonly item: string
  readonly change: "added" | "changed" | "removed"
  /** The item's version before; null when it was not there. */
  readonly before: string | null
  /** The item's version after; null when it is not there any more. */
  readonly after: string | null
}

const same = (a: Hash64 | undefined, b: Hash64): boolean => a !== undefined && a.high === b.high && a.low === b.low

interface ItemRow {
  readonly item: string
  readonly version: string
}

/** The items that are there whole, older rows first. */
async function* itemsOf({ name, table, schema }: OpenTable): AsyncGenerator<ItemRow> {
  if (!schema.has("_item") || !schema.has("_version") || !schema.has("_end")) {
    throw new TableError(`Table ${JSON.stringify(name)} was not written by Sluice: its rows do not name their items`)
  }
  for await (const { rows, columns } of readCommitted(table, ["_item", "_version"], { end: true })) {
    const items = columns.get("_item")
    const versions = columns.get("_version")
    if (!items || !versions) continue
    for (let row = 0; row < rows; row++) {
      yield { item: String(valueAt(items, row)), version: String(valueAt(versions, row)) }
    }
  }
}

/** The versions of all items; of one that is there in two, as in the middle of a run, the newer one counts. */
const versionsOf = async (open: OpenTable): Promise<HashMap> => {
  const versions = new HashMap()
  for await (const { item, version } of itemsOf(open)) versions.set(hash64(item), hash64(version))
  return versions
}

/** Of so many changed items at a time the older versions are looked up. */
const AT_ONCE = 1000

/** Names and versions are not kept in memory, so those of changed items are read again. */
async function* changesOf({ table }: OpenTable, changed: ReadonlyMap<string, string>): AsyncGenerator<ItemChange> {
  const before = new Map<string, string>()
  const items = [...changed.keys()].map((item) => ({ item }))
  for await (const { rows, columns } of readCommitted(table, ["_item", "_version"], { end: true, items })) {
    const names = columns.get("_item")
    const versions = columns.get("_version")
    if (!names || !versions) continue
    for (let row = 0; row < rows; row++) before.set(String(valueAt(names, row)), String(valueAt(versions, row)))
  }
  for (const [item, after] of changed) yield { item, change: "changed", before: before.get(item) ?? null, after }
}

/**
 * The items in which version `b` differs from version `a`: those added, those that are there at another version, and
 * those removed. An item's version is its fingerprint and what made its rows; rows that were changed by hand are not told
 * apart. Memory: 60 bytes an item.
 *
 * @param b default: the version that the table has now.
 * @throws {TableError} when there is no such table or version, or the table was not written by Sluice.
 * @example
 * ```ts
 * for await (const { item, change } of diffVersions("./data", "docs", "before-cleaning")) console.log(change, item)
 * ```
 */
export async function* diffVersions(uri: string, name: string, a: At, b?: At): AsyncGenerator<ItemChange> {
  const before = await openToRead(uri, name, a)
  try {
    const after = await openToRead(uri, name, b)
    try {
      const older = await versionsOf(before)
      const newer = await versionsOf(after)
      const told = new HashSet()
      let changed = new Map<string, string>()
      for await (const { item, version } of itemsOf(after)) {
        const key = hash64(item)
        if (!same(newer.get(key), hash64(version)) || same(older.get(key), hash64(version)) || !told.add(key)) continue
        if (!older.get(key)) yield { item, change: "added", before: null, after: version }
        else if (changed.set(item, version).size === AT_ONCE) {
          yield* changesOf(before, changed)
          changed = new Map()
        }
      }
      if (changed.size > 0) yield* changesOf(before, changed)
      for await (const { item, version } of itemsOf(before)) {
        const key = hash64(item)
        if (newer.get(key) || !same(older.get(key), hash64(version))) continue
        yield { item, change: "removed", before: version, after: null }
      }
    } finally {
      after.close()
    }
  } finally {
    before.close()
  }
}
