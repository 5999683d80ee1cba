/** The shards of a table: Parquet files `train-000000.parquet`, ... in the order of their rows. */
import { existsSync } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { basename, join } from "node:path"
import type { Batch } from "../../model/batch.ts"
import { messageOf, TableError } from "../../model/errors.ts"
import type { Schema } from "../../model/types.ts"
import { NOTES_KEY, SLUICE_KEY, schemaIn } from "../../parquet/metadata.ts"
import { createParquet } from "../../parquet/writer.ts"
import { literal, literalPath, withConnection } from "../../readers/duckdb.ts"
import { draftPath, newDraft } from "./change.ts"
import { packSpans, type ShardSpan } from "./spans.ts"

/** What a shard says of itself, in its metadata. */
interface Notes {
  /** The version of the table that it came with. */
  readonly version: number
  /** How often its rows have been put together from smaller shards. */
  readonly level: number
  /** The hidden columns are in the ledger only, and not among the columns of the file. */
  readonly folded: boolean
  readonly rows: number
  /** The first and the last `_commit` of its rows. */
  readonly commits: readonly [first: number, last: number]
  /** The ledger; see `packSpans`. */
  readonly spans: string
}

export interface Shard extends Notes {
  readonly name: string
  readonly bytes: number
  /** The columns of the file. */
  readonly schema: Schema
}

/** Hugging Face's tools take a file of such a name for a part of the split `train`. */
const NAME = /^train-(\d{6,})\.parquet$/

const numberOf = (name: string): number => Number(NAME.exec(name)?.[1] ?? -1)

export const shardName = (number: number): string => `train-${String(number).padStart(6, "0")}.parquet`

export const nextNumber = (shards: readonly Shard[]): number =>
  shards.reduce((next, { name }) => Math.max(next, numberOf(name) + 1), 0)

const shardNames = async (root: string): Promise<string[]> => {
  if (!existsSync(root)) return []
  return (await readdir(root)).filter((name) => NAME.test(name)).sort((a, b) => numberOf(a) - numberOf(b))
}

/** Whether there is a table in the folder. */
export const hasShards = async (root: string): Promise<boolean> => (await shardNames(root)).length > 0

/** The values of Sluice's keys, by the name of the file. */
const readMetadata = (root: string, names: readonly string[]): Promise<Map<string, Map<string, string>>> =>
  withConnection(async (connection) => {
    const files = names.map((name) => literalPath(join(root, name))).join(", ")
    const keys = [SLUICE_KEY, NOTES_KEY].map(literal).join(", ")
    const result = await connection.runAndReadAll(
      `SELECT file_name, decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata([${files}])
       WHERE decode(key) IN (${keys})`,
    )
    const found = new Map<string, Map<string, string>>()
    for (const { file_name: file, key, value } of result.getRowObjectsJS()) {
      const name = basename(String(file))
      found.set(name, (found.get(name) ?? new Map()).set(String(key), String(value)))
    }
    return found
  })

/**
 * The shards in a folder, in order.
 *
 * @throws {TableError} when one is damaged, or was not written by Sluice.
 */
export const openShards = async (root: string): Promise<Shard[]> => {
  const names = await shardNames(root)
  if (names.length === 0) return []
  const metadata = await readMetadata(root, names).catch((error: unknown) => {
    throw new TableError(`${root}: a shard cannot be read: ${messageOf(error)}`, { cause: error })
  })
  return Promise.all(
    names.map(async (name): Promise<Shard> => {
      const path = join(root, name)
      const schema = schemaIn(metadata.get(name)?.get(SLUICE_KEY))
      const notes = metadata.get(name)?.get(NOTES_KEY)
      if (!schema || notes === undefined) {
        throw new TableError(
          `${path} was not written by Sluice, which cannot add to it: it does not say which items its rows are of. Choose another table`,
        )
      }
      return {
        ...(JSON.parse(notes) as Notes),
        name,
        bytes: (await stat(path)).size,
        schema,
      }
    }),
  )
}

interface Content {
  /** The columns of the file. */
  readonly schema: Schema
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>
  readonly spans: readonly ShardSpan[]
}

/** A shard that is written, but not in its place yet. */
export interface Draft {
  readonly draft: string
  readonly shard: Omit<Shard, "name">
}

/** Writes a draft of a shard, safely on the disk. */
export const writeDraft = async (
  root: string,
  { schema, batches, spans }: Content,
  { version, level, folded }: Pick<Notes, "version" | "level" | "folded">,
): Promise<Draft> => {
  const commits = spans.map(({ commit }) => commit)
  const notes: Notes = {
    version,
    level,
    folded,
    rows: spans.reduce((sum, { rows }) => sum + rows, 0),
    commits: [commits.reduce((a, b) => Math.min(a, b), Infinity), commits.reduce((a, b) => Math.max(a, b), 0)],
    spans: await packSpans(spans),
  }
  const draft = await newDraft(root)
  const file = await createParquet(draftPath(root, draft), schema)
  try {
    for await (const batch of batches) await file.write(batch)
    await file.close({ notes, sync: true })
  } catch (error) {
    await file.abort()
    throw error
  }
  if (file.rows !== notes.rows) throw new Error(`a shard of ${file.rows} rows has a ledger of ${notes.rows}`)
  return { draft, shard: { ...notes, bytes: file.bytes, schema } }
}
