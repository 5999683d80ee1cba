/** Removes what must not stay in a table, and mends what a killed run has left. */
import type { RowFilter, Writer } from "../model/sink.ts"
import { crashPoint } from "./crash-point.ts"
import { type ItemVersion, type Ledger, type LedgerOptions, readLedger } from "./ledger.ts"
import type { TaskItem } from "./protocol.ts"
import { ITEMS, type Removal, recordBatch, removalRecords } from "./records.ts"

/** Side tables whose rows belong to rows of the table. */
const sidesOf = async (writer: Writer): Promise<Writer[]> => {
  const names = (await writer.sides()).filter((name) => name !== ITEMS)
  return Promise.all(names.map((name) => writer.side(name)))
}

const removeEverywhere = async (writer: Writer, sides: readonly Writer[], filter: RowFilter): Promise<void> => {
  crashPoint("before-remove-side")
  for (const side of sides) await side.remove(filter)
  crashPoint("before-remove")
  await writer.remove(filter)
  crashPoint("after-remove")
}

/**
 * Deletes all rows of the items: those of the given version, where one is given. Where side tables are concerned it
 * takes several steps, so that it is written down first: an item that has lost its side rows must not stay, nor come
 * back, as if it were whole.
 */
export const removeItems = async (writer: Writer, items: readonly Removal[]): Promise<void> => {
  if (items.length === 0) return
  const sides = await sidesOf(writer)
  if (sides.length === 0) return removeEverywhere(writer, sides, { items })
  const records = removalRecords(items)
  const side = await writer.side(ITEMS)
  crashPoint("before-remove-record")
  await side.write(recordBatch(records, 0))
  await side.commit()
  await finishRemoval(writer, sides, items)
}

const finishRemoval = async (writer: Writer, sides: readonly Writer[], items: readonly Removal[]): Promise<void> => {
  await removeEverywhere(writer, sides, { items })
  await (await writer.side(ITEMS)).remove({ items: removalRecords(items) })
  crashPoint("after-remove-record")
}

/** Deletes what there is of the items in other versions than the given ones; it is done again where it was cut. */
export const removeOlder = async (writer: Writer, items: readonly ItemVersion[]): Promise<void> => {
  if (items.length === 0) return
  const filter = { items: items.map(({ item }) => ({ item })), except: items }
  await removeEverywhere(writer, await sidesOf(writer), filter)
}

/**
 * Reads the ledger, and clears away what a killed run has left: removals that were not ended, side rows of no commit,
 * older versions of items whose new one is in the table, and records of items that have come through since. Items that
 * were cut are left to {@link mendCut}.
 */
export const openLedger = async (writer: Writer, options: LedgerOptions): Promise<Ledger> => {
  const found = await readLedger(writer, options)
  if (found.removals.length > 0) {
    await finishRemoval(writer, await sidesOf(writer), found.removals)
    return openLedger(writer, options)
  }
  const { lastCommit, newest, voidRecords } = found
  await removeOlder(writer, newest)
  for (const side of await sidesOf(writer)) {
    if ((await side.edge("last")) > lastCommit) await side.remove({ after: lastCommit })
  }
  if (voidRecords.length > 0) {
    await (await writer.side(ITEMS)).remove({ items: voidRecords.map((item) => ({ item })) })
  }
  return found
}

/**
 * Removes the rows of the items that a killed run was inside of. To be called before anything is written, with the
 * first item that is to be done, or without one when there is nothing to do: where that item is the one that was cut,
 * and resumable, its rows stay.
 *
 * @returns how many rows of the given item are in the table.
 */
export const mendCut = async (
  writer: Writer,
  { cut }: Ledger,
  next?: Pick<TaskItem, "item" | "version">,
): Promise<number> => {
  const kept = cut.find(
    ({ item, version }) => next?.item.resumable && item === next.item.id && version === next.version,
  )
  await removeItems(
    writer,
    cut.filter((one) => one !== kept),
  )
  return kept?.rows ?? 0
}
