/**
 * Identity of files and rows: UUIDv5 (RFC 9562, section 5.5) of what names them, so that the same item has the same
 * ids in every run and in every language. In Python: `file_id = uuid5(NAMESPACE, item_id)`, `id = uuid5(file_id, "0")`.
 */
import { parse, v5 } from "uuid"
import type { Item } from "../model/item.ts"

/** Drawn at random once. Changing it would change every id that was ever written. */
const NAMESPACE = "5b6f0d2e-8a41-4c7b-9d53-2f1e7c9a6b08"

const encoder = new TextEncoder()

interface Known {
  readonly item: string
  readonly id: string
  readonly bytes: Uint8Array
}

let last: Known | undefined

/** Rows are made item by item: remembering one item saves most of the work for each of its rows. */
const known = ({ id: item }: Item): Known => {
  if (last?.item !== item) {
    const id = v5(encoder.encode(item), NAMESPACE)
    last = { item, id, bytes: parse(id) }
  }
  return last
}

/** The id of the item, shared by all of its rows. */
export const fileId = (item: Item): string => known(item).id

/** The id of one row; `row` is its index within the item. */
export const rowId = (item: Item, row: number): string => v5(String(row), known(item).bytes)
