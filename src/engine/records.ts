/** The rows of the side table of items. */
import { type Batch, batchOf } from "../model/batch.ts"
import { int32Column, numberColumn, textColumn } from "../model/column.ts"
import type { ItemRecord, ItemStatus } from "../model/item.ts"

/** Side table of the items that have no rows, or not all of them. */
export const ITEMS = "items"

/** Of an item whose rows are being removed: it is written before, and goes when all of them are gone. */
export const REMOVING = "removing"

/** An item in a version, or in all of them. */
export interface Removal {
  readonly item: string
  readonly version?: string
}

/** What stands in `_version`, so that the item's other records are told apart from this one. */
const removingVersion = ({ version }: Removal): string => (version === undefined ? REMOVING : `${REMOVING} ${version}`)

export const removalRecords = (removals: readonly Removal[]): StoredRecord[] =>
  removals.map((removal) => ({
    item: removal.item,
    version: removingVersion(removal),
    status: REMOVING,
    stage: "write",
    error: "its rows are being removed",
    attempts: 1,
    run: "",
  }))

/** What a record of this status removes. */
export const removalOf = (item: string, version: string): Removal =>
  version === REMOVING ? { item } : { item, version: version.slice(REMOVING.length + 1) }

export interface StoredRecord extends Omit<ItemRecord, "status"> {
  readonly status: ItemStatus | typeof REMOVING
}

/** `number` is what `_commit` says: records are written before the commit of that number. */
export const recordBatch = (records: readonly StoredRecord[], number: number): Batch =>
  batchOf({
    _item: textColumn(records.map((record) => record.item)),
    _version: textColumn(records.map((record) => record.version)),
    status: textColumn(records.map((record) => record.status)),
    stage: textColumn(records.map((record) => record.stage)),
    error: textColumn(records.map((record) => record.error)),
    attempts: int32Column(records.map((record) => record.attempts)),
    run: textColumn(records.map((record) => record.run)),
    _commit: numberColumn(new BigInt64Array(records.length).fill(BigInt(number)), { name: "INT64" }),
  })
