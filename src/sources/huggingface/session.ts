/** What the reading of one dataset shares, from its listing to its last row. */
import type { Cache, CachedFile, Outcome } from "../../hub/cache.ts"
import type { Hub, HubFile, Revision } from "../../hub/client.ts"
import type { Resolved } from "../../hub/resolve.ts"
import { readSmall } from "../../hub/tree.ts"
import { type Batch, sliceBatch } from "../../model/batch.ts"
import { messageOf } from "../../model/errors.ts"
import type { Schema } from "../../model/types.ts"

export interface Session {
  readonly hub: Hub
  readonly at: Revision
  readonly cache: Cache
  readonly resolved: Resolved
  /** All files of the repository, by path. */
  readonly tree: ReadonlyMap<string, HubFile>
  /** Of a folder of pictures, sounds, ...: the classes, where folders name them. */
  readonly labels: readonly string[] | undefined
  readonly columns: readonly string[] | undefined
  readonly types: Schema
}

/** What an item is: it stands in the item's payload. The token is not in it. */
export interface Part {
  readonly file: HubFile
  /** Place in the listing. */
  readonly order: number
  /** Only so many rows of it, from its start. */
  readonly rows?: number
}

/** What reading needs of a run. */
export interface Reading {
  readonly signal: AbortSignal
  readonly maxBytes: number
  readonly tempDir: string
  readonly partial: (message: string) => void
}

/** No more than `limit` rows. */
export async function* limited(
  batches: AsyncIterable<Batch>,
  limit = Infinity,
): AsyncGenerator<Batch, void, undefined> {
  let left = limit
  for await (const batch of batches) {
    yield batch.rows > left ? sliceBatch(batch, 0, left) : batch
    left -= batch.rows
    if (left <= 0) return
  }
}

/**
 * Rows made of the part's file while it is on this disk. Afterwards the file is removed when all rows of the part were
 * read or it cannot be read, and stays for the next run when the reading was cut off.
 */
export async function* withFile(
  { cache }: Session,
  { file, order, rows }: Part,
  signal: AbortSignal,
  use: (cached: CachedFile) => AsyncIterable<Batch>,
): AsyncGenerator<Batch, void, undefined> {
  const cached = await cache.take(file, order, signal)
  let outcome: Outcome = "cut"
  try {
    yield* limited(use(cached), rows)
    outcome = "read"
  } catch (error) {
    if (!signal.aborted) outcome = "failed"
    throw error
  } finally {
    await cached.release(outcome)
  }
}

/** Files asked for at a time where each is a part of a row. */
const AT_ONCE = 8

/**
 * The bytes of files of the repository, in the order of `paths`; null where there are none, after saying so.
 *
 * @param paths in the repository; undefined for no file.
 */
export const readFiles = async (
  { hub, at, tree }: Session,
  paths: readonly (string | undefined)[],
  { signal, maxBytes, partial }: Reading,
): Promise<(Uint8Array | null)[]> => {
  const found = new Array<Uint8Array | null>(paths.length).fill(null)
  let next = 0
  const read = async (): Promise<void> => {
    while (next < paths.length) {
      const index = next++
      const path = paths[index]
      if (path === undefined) continue
      const file = tree.get(path)
      if (!file) {
        partial(`${path} is not in the dataset`)
        continue
      }
      try {
        found[index] = await readSmall(hub, at, file, maxBytes, signal)
      } catch (error) {
        signal.throwIfAborted()
        partial(messageOf(error))
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, paths.length) }, read))
  return found
}
