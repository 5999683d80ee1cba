/** One pass over the rows of a dataset, batch by batch. */
import { Readable } from "node:stream"
import { ReadableStream } from "node:stream/web"
import { ahead } from "./ahead.ts"
import type { ColumnArrays } from "./arrays.ts"

/**
 * Batches, to be iterated over; every iteration begins where `position` was given. Where a loop is left, what was read
 * ahead is dropped.
 */
export interface Epoch<B = ColumnArrays> extends AsyncIterable<B> {
  /** The seed of the order; needed, with the position, to go on in another process. */
  readonly seed: number
  /** Rows of the epoch that the latest iteration has handed out, those before its start included. */
  readonly position: number
  /** As a stream of the Web; each call is an iteration. */
  toWeb(): ReadableStream<B>
  /** As a stream of Node's, in object mode; each call is an iteration. */
  toNode(): Readable
}

export interface Counted {
  readonly rows: number
  readonly arrays: ColumnArrays
}

/** `read` begins at the given position; `prefetch` batches are made before they are asked for. */
export const epochOf = <B>(
  read: () => AsyncGenerator<Counted>,
  { seed, position, prefetch }: { readonly seed: number; readonly position: number; readonly prefetch: number },
): Epoch<B> => {
  let handed = position
  async function* iterate(): AsyncGenerator<B> {
    handed = position
    for await (const { rows, arrays } of ahead(read(), prefetch)) {
      handed += rows
      // The caller says what the columns are; nobody checks.
      yield arrays as B
    }
  }
  return {
    seed,
    get position() {
      return handed
    },
    [Symbol.asyncIterator]: iterate,
    toWeb: () => ReadableStream.from<B>(iterate()),
    toNode: () => Readable.from(iterate(), { highWaterMark: 1 }),
  }
}
