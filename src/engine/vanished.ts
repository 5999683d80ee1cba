/** Items that are in the table and not in the source any more: `sync` removes them, after a complete listing. */
import { HashSet, hash64 } from "../model/hash-set.ts"
import type { Item } from "../model/item.ts"
import type { Writer } from "../model/sink.ts"
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

/** Names in `_item` that were not listed; when there are more than `most`, one more than that. */
const unlisted = async (writer: Writer, seen: Seen, most: number, end: boolean): Promise<string[]> => {
  const names = new Set<string>()
  for await (const batch of writer.read(["_item"], end ? { end } : {})) {
    for (let row = 0; row < batch.rows; row++) {
      const item = textAt(batch, "_item", row)
      if (seen.has(item)) continue
      names.add(item)
      if (names.size > most) return [...names]
    }
  }
  return [...names]
}

const chunks = (names: readonly string[]): { readonly item: string }[][] =>
  Array.from({ length: Math.ceil(names.length / AT_ONCE) }, (_, i) =>
    names.slice(i * AT_ONCE, (i + 1) * AT_ONCE).map((item) => ({ item })),
  )

export interface Removal {
  readonly removed: number
  /** Why nothing was removed, although items have vanished or may have. */
  readonly refused?: string
}

/** Removes the rows and the records of the items that were not listed, unless they are more than the given share. */
export const removeVanished = async (
  writer: Writer,
  { items }: Pick<Ledger, "items">,
  seen: Seen,
  maxRatio: number,
): Promise<Removal> => {
  if (seen.hidden > 0) {
    return {
      removed: 0,
      refused: `Vanished items were not removed: ${seen.hidden} folders could not be listed, so what is below them may still be there`,
    }
  }
  const most = Math.floor(items * maxRatio)
  const names = await unlisted(writer, seen, most, true)
  if (names.length > most) {
    return {
      removed: 0,
      refused: `Vanished items were not removed: more than ${most} of ${items} items are not in the source any more, and max_delete_ratio is ${maxRatio}. If that is right, raise it for one run`,
    }
  }
  for (const chunk of chunks(names)) {
    crashPoint("before-vanish")
    await removeItems(writer, chunk)
    crashPoint("after-vanish")
  }
  if ((await writer.sides()).includes(ITEMS)) {
    const side = await writer.side(ITEMS)
    const gone = await unlisted(side, seen, Infinity, false)
    for (const chunk of chunks([...gone, ...seen.reverted])) await side.remove({ items: chunk })
  }
  return { removed: names.length }
}
