/** Publishing a table as a dataset of the Hugging Face Hub. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkRepo, type HubOptions, openHub } from "../hub/client.ts"
import { commitFiles, openTarget } from "../hub/push.ts"
import { checkSplitName } from "../hub/splits.ts"
import { withSplit } from "../hub/write-card.ts"
import { batchBytes } from "../model/batch.ts"
import { createParquet, type ParquetFile } from "../parquet/writer.ts"
import { type At, checkCount, withTableAt } from "./open.ts"
import { type Selected, select } from "./parquet.ts"

const SHARD_BYTES = 500_000_000
/** While a shard is sent nothing comes back. */
const IDLE = 30 * 60_000

export interface PushOptions extends HubOptions {
  /** Default `train`. Other splits of the dataset stay as they are. */
  readonly split?: string
  /** About how many bytes a file has. Default 500 MB, as `datasets` makes its own. */
  readonly shardBytes?: number
  /** Whether a dataset that is made can be seen by its owner only. Default: no. */
  readonly private?: boolean
  readonly signal?: AbortSignal
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
  /** Told what is being done, in a few words. */
  readonly onStep?: (step: string) => void
}

export interface PushResult {
  readonly rows: number
  /** Of all files. */
  readonly bytes: number
  readonly files: number
  /** The commit on the Hub. */
  readonly commit: string
  readonly url: string
}

interface Shards {
  readonly paths: readonly string[]
  readonly rows: number
  /** In memory. */
  readonly bytes: number
  readonly fileBytes: number
}

const writeShards = async (folder: string, { schema, batches }: Selected, shardBytes: number): Promise<Shards> => {
  const paths: string[] = []
  let file: ParquetFile | undefined
  let rows = 0
  let bytes = 0
  let fileBytes = 0
  const begin = async (): Promise<ParquetFile> => {
    const path = join(folder, `${paths.length}.parquet`)
    paths.push(path)
    return createParquet(path, schema)
  }
  const end = async (ended: ParquetFile): Promise<void> => {
    await ended.close()
    rows += ended.rows
    fileBytes += ended.bytes
    file = undefined
  }
  try {
    for await (const batch of batches) {
      file ??= await begin()
      await file.write(batch)
      bytes += batchBytes(batch)
      if (file.bytes >= shardBytes) await end(file)
    }
    if (file) await end(file)
    // A table without rows has columns all the same.
    if (paths.length === 0) await end(await begin())
  } finally {
    await file?.abort()
  }
  return { paths, rows, bytes, fileBytes }
}

const five = (number: number): string => String(number).padStart(5, "0")

/**
 * Publishes a table, at the version that it has now or at another one, as a split of a dataset of the Hub: Parquet files of about 500 MB
 * with the features that `datasets` reads, and the README's front matter to go with them. The hidden columns stay here.
 *
 * The files are written to a temporary folder first, which needs as much room as the table. All that is changed is
 * changed in one commit, so a push that is interrupted leaves no trace, and can simply be run again.
 *
 * @throws {TableError} when there is no such table.
 * @throws {TokenError|AuthError} without a token, or with one that may not write.
 * @throws {IngestError} when the Hub cannot be reached, or somebody else has changed the dataset meanwhile.
 * @example
 * ```ts
 * const { url } = await pushTable("./data", "photos", "me/photos", { token: process.env.HF_TOKEN, private: true })
 * ```
 */
export const pushTable = async (
  uri: string,
  name: string,
  repo: string,
  { split = "train", private: isPrivate = false, signal = new AbortController().signal, ...options }: PushOptions = {},
): Promise<PushResult> => {
  checkRepo(repo)
  checkSplitName(split)
  checkCount("shardBytes", options.shardBytes, 1)
  const { shardBytes = SHARD_BYTES } = options
  const step = options.onStep ?? (() => {})
  const hub = openHub({ ...options, retry: { idle: IDLE, ...options.retry } })
  return withTableAt(uri, name, options.at, async (open) => {
    const selected = await select(open, {})
    const target = await openTarget(hub, repo, isPrivate, signal)
    const folder = await mkdtemp(join(tmpdir(), "sluice-push-"))
    try {
      step(`writing ${name} as Parquet`)
      const { paths, rows, bytes, fileBytes } = await writeShards(folder, selected, shardBytes)
      const shards = paths.map((file, index) => ({
        path: `data/${split}-${five(index)}-of-${five(paths.length)}.parquet`,
        content: { file },
      }))
      const readme = withSplit(target.readme, repo, { split, schema: selected.schema, rows, bytes, fileBytes })
      const kept = new Set(shards.map(({ path }) => path))
      const isOld = (path: string): boolean =>
        path.startsWith(`data/${split}-`) && /^\d{5}-of-\d{5}\.parquet$/.test(path.slice(`data/${split}-`.length))
      step(`uploading ${shards.length} ${shards.length === 1 ? "file" : "files"}`)
      const commit = await commitFiles(
        hub,
        target,
        {
          title: `Upload ${split} with Sluice`,
          put: [...shards, { path: "README.md", content: { text: readme } }],
          drop: target.files.map(({ path }) => path).filter((path) => isOld(path) && !kept.has(path)),
        },
        signal,
      )
      return {
        rows,
        bytes: fileBytes,
        files: shards.length,
        commit,
        url: `${hub.hubUrl}/datasets/${target.at.repo}`,
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
