/** Items: the unit of work, of failure and of resuming. */

/** Plain data: what crosses to a worker by structured clone and hashes the same everywhere. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain }

export interface Item {
  /** Stable name of the item in its source, such as a path relative to the root, with `/`. */
  readonly id: string
  /** Where the bytes are: an absolute path, or a URL. */
  readonly uri: string
  /** Fingerprint of the content: size and mtime, an etag, a hash. Another fingerprint is another version. */
  readonly version: string
  /** Size in bytes, as far as the source knows it; used to bound what is in flight. */
  readonly bytes: number
  /** What the normalizer needs to know in order to read it. */
  readonly payload?: Plain
  /** It has the same rows in the same order every time: a cut run goes on in the middle of it, not at its start. */
  readonly resumable?: true
  /** The source saw the item but cannot hand it over; it is recorded as failed. */
  readonly error?: string
  /** With `error`: what lies below it could not be listed, so nobody knows what is still there. */
  readonly hidesOthers?: true
}

/** Why an item has no rows, or not all of them. Kept in the table `<table>__items`. */
export type ItemStatus = "failed" | "partial" | "empty"

/** Where in the flow an item failed. */
export type Stage = "list" | "normalize" | "map" | "write"

/** The row of `<table>__items` about one item. A `failed` one is a dead letter. */
export interface ItemRecord {
  readonly item: string
  readonly version: string
  readonly status: ItemStatus
  readonly stage: Stage
  readonly error: string
  readonly attempts: number
  readonly run: string
}
