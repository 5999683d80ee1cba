/**
 * Writes one table as a folder of Parquet shards.
 *
 * A commit is one new shard: it is written aside, and a rename puts it in its place, rows and ledger at once. What
 * changes several shards (replacing all, deleting rows, putting small ones together) is written down before it is done;
 * see `change.ts`.
 */
import { type Batch, schemaOf } from "../../model/batch.ts"
import { FatalError, isFatal } from "../../model/errors.ts"
import { HIDDEN_SCHEMA } from "../../model/rows.ts"
import type { RowFilter, Version } from "../../model/sink.ts"
import type { Schema } from "../../model/types.ts"
import type { Lock } from "../../store/lock.ts"
import { apply } from "./change.ts"
import { readShard, readSpans } from "./read.ts"
import { type Draft, nextNumber, openShards, type Shard, shardName, writeDraft } from "./shards.ts"
import { divide, hasLedger, joinSpans, type Placed, type ShardSpan, spansOf, unpackSpans } from "./spans.ts"

/** So many small shards in a row are put together into one; then so many of those, and so on. */
export const MERGE_AT = 64
/** Larger ones are left as they are: a merged shard is at most 64 times as large. */
const SMALL_BYTES = 4 << 20

export interface ShardWriter {
  readonly schema: Schema
  readonly version: Version
  write(batch: Batch): void
  store(mode: "append" | "overwrite"): Promise<Version>
  remove(filter: RowFilter): Promise<void>
  read(columns: readonly string[], filter: RowFilter): AsyncGenerator<Batch>
  edge(side: "first" | "last"): number
  maintain(): Promise<void>
  /** Gives all shards the same columns. */
  align(): Promise<void>
}

/** One of the shards that are to be, in the place of the shard it is made of. */
interface Rewritten {
  readonly name: string
  readonly draft: Draft
}

const withoutHidden = (schema: Schema): Schema => new Map([...schema].filter(([name]) => !HIDDEN_SCHEMA.has(name)))

/** All columns of all shards; of a column that several have, the newest one's type knows most. */
const tableSchema = (shards: readonly Shard[]): Schema =>
  new Map([
    ...(shards.some(({ folded }) => folded) ? HIDDEN_SCHEMA : []),
    ...shards.flatMap(({ schema }) => [...schema]),
  ])

const sameColumns = (a: Schema, b: Schema): boolean => JSON.stringify([...a]) === JSON.stringify([...b])

/** `root` is the folder of the shards. What is written is only so while the lock is held. */
export const openShardWriter = async (root: string, lock: Lock): Promise<ShardWriter> => {
  let shards: readonly Shard[] = await openShards(root)
  let schema = tableSchema(shards)
  let version: Version = shards.reduce((newest, shard) => Math.max(newest, shard.version), 0)
  let pending: Batch[] = []

  /** Makes the change, and what is known of the shards with it. */
  const change = async (rewritten: readonly Rewritten[], gone: readonly string[]): Promise<void> => {
    await lock.check()
    await apply(root, { put: rewritten.map(({ name, draft }) => [draft.draft, name]), drop: gone })
    const next = new Map(shards.filter(({ name }) => !gone.includes(name)).map((shard) => [shard.name, shard]))
    for (const { name, draft } of rewritten) next.set(name, { ...draft.shard, name })
    shards = [...next.values()]
  }

  /** The errors of a full disk, in words. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (error instanceof FatalError || !isFatal(error)) throw error
      throw new FatalError(
        `The disk of ${root} is full; the table stands at its last commit (version ${version}). Make room and run again`,
        { cause: error },
      )
    }
  }

  /** A draft of one shard out of rows of several. */
  const rewrite = async (
    parts: readonly { readonly shard: Shard; readonly placed: readonly Placed[] }[],
    level: number,
  ): Promise<Draft> => {
    const folded = parts.every(({ shard }) => shard.folded)
    const columns = folded ? withoutHidden(schema) : schema
    const spans: ShardSpan[] = parts.flatMap(({ placed }) => placed.map(({ span }) => span))
    async function* batches(): AsyncGenerator<Batch> {
      for (const { shard, placed } of parts) {
        for await (const { batch } of readSpans(root, shard, placed, shard.schema)) yield batch
      }
    }
    return writeDraft(
      root,
      { schema: columns, batches: batches(), spans: joinSpans(spans, folded) },
      { version: version + 1, level, folded },
    )
  }

  const whole = async (shard: Shard) => ({ shard, placed: divide(await unpackSpans(shard.spans), {}).matching })

  return {
    get schema() {
      return schema
    },
    get version() {
      return version
    },
    write: (batch) => {
      if (batch.rows > 0) pending.push(batch)
    },
    store: (mode) =>
      guarded(async () => {
        if (pending.length === 0) return version
        const batches = pending
        pending = []
        await lock.check()
        const folded = batches.every(hasLedger)
        const base: Schema = mode === "append" ? schema : new Map()
        const next: Schema = new Map([...base, ...batches.flatMap((batch) => [...schemaOf(batch)])])
        const columns = folded ? withoutHidden(next) : next
        const visible = folded
          ? batches.map(({ rows, columns: all }) => ({
              rows,
              columns: new Map([...all].filter(([name]) => columns.has(name))),
            }))
          : batches
        const draft = await writeDraft(
          root,
          { schema: columns, batches: visible, spans: joinSpans(batches.flatMap(spansOf), folded) },
          { version: version + 1, level: 0, folded },
        )
        const name = shardName(nextNumber(shards))
        await change([{ name, draft }], mode === "append" ? [] : shards.map((shard) => shard.name))
        schema = next
        return ++version
      }),
    remove: (filter) =>
      guarded(async () => {
        const rewritten: Rewritten[] = []
        const gone: string[] = []
        for (const shard of shards) {
          const { matching, others } = divide(await unpackSpans(shard.spans), filter)
          if (matching.length === 0) continue
          if (others.length === 0) gone.push(shard.name)
          else {
            const draft = await rewrite([{ shard, placed: others }], shard.level)
            rewritten.push({ name: shard.name, draft })
          }
        }
        if (rewritten.length + gone.length === 0) return
        await change(rewritten, gone)
        version++
      }),
    read: async function* (columns, filter) {
      for (const shard of shards) yield* readShard(root, shard, columns, schema, filter)
    },
    edge: (side) => {
      const [first, ...rest] = shards.map(({ commits }) => commits[side === "first" ? 0 : 1])
      return rest.reduce((a, b) => (side === "first" ? Math.min(a, b) : Math.max(a, b)), first ?? 0)
    },
    maintain: () =>
      guarded(async () => {
        for (;;) {
          const newest = shards.slice(-MERGE_AT)
          const [first, ...rest] = newest
          const alike = newest.every(({ level, bytes }) => level === first?.level && bytes < SMALL_BYTES)
          if (!first || newest.length < MERGE_AT || !alike) return
          const draft = await rewrite(await Promise.all(newest.map(whole)), first.level + 1)
          await change(
            [{ name: first.name, draft }],
            rest.map(({ name }) => name),
          )
          version++
        }
      }),
    align: () =>
      guarded(async () => {
        const columns = withoutHidden(schema)
        const odd = shards.filter(({ folded, schema: own }) => !sameColumns(own, folded ? columns : schema))
        for (const shard of odd) {
          const draft = await rewrite([await whole(shard)], shard.level)
          await change([{ name: shard.name, draft }], [])
        }
        if (odd.length > 0) version++
      }),
  }
}
