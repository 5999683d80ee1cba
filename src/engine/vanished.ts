/** Items that are in the table and not in the source any more: `sync` removes them, after a complete listing. */
import { HashSet, hash64 } from "../model/hash-set.ts"
import type { Item } from "../model/item.ts"
import { isSqlItem } from "../model/rows.ts"
import type { Reader, RowFilter, Writer } from "../model/sink.ts"
import { crashPoint } from "./crash-point.ts"
import { type Ledger, textAt } from "./ledger.ts"
import { removeItems } from "./mend.ts"
import { ITEMS } from "./records.ts"

/** So many are named in one deletion. */
const AT_ONCE = 5000

/** Remembers what was listed, as hashes. */
export class Seen {
  readonly #items = new HashSet()
  #hidden = 0
  /** Items that failed when they had changed, and are again as they were: their records say nothing any more. */
  readonly reverted: string[] = []

  add(item: Item, reverted: boolean): void {
    this.#items.add(hash64(item.id))
    if (item.hidesOthers) this.#hidden++
    if (reverted) this.reverted.push(item.id)
  }

  has(name: string): boolean {
    return this.#items.has(hash64(name))
  }

  /** Places of the source that could not be listed. */
  get hidden(): number {
    return this.#hidden
  }
}

/** Names in the table that were not listed: of items that are there whole, or of what the filter says. */
export async function* unlistedItems(
  reader: Reader,
  seen: Seen,
  filter: RowFilter = { end: true },
): AsyncGenerator<string> {
  for await (const batch of reader.read(["_item"], filter)) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      // What was put in by hand was never in the source.
      if (!seen.has(item) && !isSqlItem(item)) yield item
    }
  }
}

const mostOf = (items: number, ratio: number): number => Math.floor(items * ratio)

/** Why vanished items stay: there may be others like them, or they are too many. `items` are in the table. */
export const refusal = (seen: Seen, vanished: number, items: number, ratio: number): string | undefined => {
  if (seen.hidden > 0) {
    return `Vanished items stay in the table: ${seen.hidden} folders could not be listed, so what is below them may still be there`
  }
  const most = mostOf(items, ratio)
  if (vanished <= most) return undefined
  return `Vanished items stay in the table: more than ${most} of its ${items} items are not in the source any more, and max_delete_ratio is ${ratio}. If that is right, raise it for one run`
}

const chunks = (names: readonly string[]): { readonly item: string }[][] =>
  Array.from({ length: Math.ceil(names.length / AT_ONCE) }, (_, i) =>
    names.slice(i * AT_ONCE, (i + 1) * AT_ONCE).map((item) => ({ item })),
  )

interface Outcome {
  readonly removed: number
  /** Why nothing was removed, although items have vanished or may have. */
  readonly refused?: string
}

/** Removes the rows and the records of the items that were not listed, unless {@link refusal} has something against it. */
export const removeVanished = async (
  writer: Writer,
  { items }: Pick<Ledger, "items">,
  seen: Seen,
  ratio: number,
): Promise<Outcome> => {
  const names: string[] = []
  for await (const name of unlistedItems(writer, seen)) {
    if (names.push(name) > mostOf(items, ratio)) break
  }
  const refused = refusal(seen, names.length, items, ratio)
  if (refused !== undefined) return names.length > 0 ? { removed: 0, refused } : { removed: 0 }
  for (const chunk of chunks(names)) {
    crashPoint("before-vanish")
    await removeItems(writer, chunk)
    crashPoint("after-vanish")
  }
  if ((await writer.sides()).includes(ITEMS)) {
    const side = await writer.side(ITEMS)
    const gone: string[] = [...seen.reverted]
    for await (const name of unlistedItems(side, seen, {})) gone.push(name)
    for (const chunk of chunks(gone)) await side.remove({ items: chunk })
  }
  return { removed: names.length }
}
