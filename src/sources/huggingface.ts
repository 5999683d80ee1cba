/**
 * Datasets of the Hugging Face Hub: a repository at a commit, resolved to a configuration, its splits and their files
 * as `datasets` does it. An item is a file; files are downloaded ahead of their reading into a bounded cache.
 *
 * A file is an item that goes on in its middle, rather than a range of rows: nothing has to be downloaded to list it,
 * what is in the table is not downloaded again, and a file is on the disk exactly as long as its item is being read.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isFolder, isMetadata } from "../hub/builders.ts"
import { openCache } from "../hub/cache.ts"
import { readCard } from "../hub/card.ts"
import { checkRepo, type Hub, type HubFile, openHub, type Revision } from "../hub/client.ts"
import { findExport } from "../hub/export.ts"
import { chooseSplits, isResolved, type Resolved, resolveDataset } from "../hub/resolve.ts"
import { listTree, pinRevision, readSmall } from "../hub/tree.ts"
import { type Batch, sliceBatch } from "../model/batch.ts"
import { ConfigError, IngestError } from "../model/errors.ts"
import { type Feed, recipeOf } from "../model/feed.ts"
import type { Item, Plain } from "../model/item.ts"
import type { Normalize } from "../model/normalizer.ts"
import { readSchema } from "../model/schema.ts"
import { Source, type SourceContext } from "../model/source.ts"
import { HUGGINGFACE_FIELDS, type HuggingFaceOptions, huggingFaceOptions } from "./huggingface/fields.ts"
import { fileRow, folderLabels, metadataRows } from "./huggingface/folder-rows.ts"
import { limited, type Part, type Reading, type Session } from "./huggingface/session.ts"
import { tableRows } from "./huggingface/table-rows.ts"
import { tarRows } from "./huggingface/tar-rows.ts"
import { textRows } from "./huggingface/text-rows.ts"

export type { HuggingFaceOptions } from "./huggingface/fields.ts"

/** Goes up when the rows that come out for the same file change. */
const REVISION = 1
/** A README that describes thousands of classes has hundreds of kilobytes. */
const MAX_CARD = 5 << 20
/** Rows whose thumbnails are made before they are handed on. */
const PICTURES = 64

const readCardFile = async (
  hub: Hub,
  at: Revision,
  tree: ReadonlyMap<string, HubFile>,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const file = tree.get(path)
  return file && new TextDecoder().decode(await readSmall(hub, at, file, MAX_CARD, signal))
}

const mapOf = (files: readonly HubFile[]): ReadonlyMap<string, HubFile> =>
  new Map(files.map((file) => [file.path, file]))

interface Found {
  readonly at: Revision
  readonly resolved: Resolved
  readonly tree: ReadonlyMap<string, HubFile>
}

/** The files of the dataset: those of the repository, or of its Parquet export where these cannot be read. */
const resolveOn = async (hub: Hub, options: HuggingFaceOptions, context: SourceContext): Promise<Found> => {
  const { signal } = context
  const { repo, config } = options
  const at = await pinRevision(hub, repo, options.revision ?? "main", signal)
  const files = await listTree(hub, at, signal)
  const tree = mapOf(files)
  const [readme, yaml] = await Promise.all(
    ["README.md", ".huggingface.yaml"].map((path) => readCardFile(hub, at, tree, path, signal)),
  )
  const resolution = resolveDataset(files, readCard(readme, yaml), config)
  if (isResolved(resolution)) return { at, resolved: resolution, tree }
  const exported = await findExport(hub, at, config, signal)
  if ("reason" in exported) {
    throw new ConfigError(
      `Dataset ${JSON.stringify(repo)} cannot be read: ${resolution.reason}; nor as Parquet: ${exported.reason}`,
    )
  }
  context.warn(`${repo}: ${resolution.reason}; its Parquet export is read instead`)
  return { at: exported.at, resolved: exported.resolved, tree: new Map() }
}

/** Of all that is missing of a file, so much is told one by one; the rest is counted. */
const GAPS_TOLD = 20

const countGaps = (partial: (message: string) => void) => {
  let gaps = 0
  return {
    add: (message: string): void => {
      if (++gaps <= GAPS_TOLD) partial(message)
    },
    end: (): void => {
      if (gaps > GAPS_TOLD) partial(`and ${gaps - GAPS_TOLD} more`)
    },
  }
}

const partOf = (item: Item): Part => item.payload as unknown as Part

/** Rows of the part, whatever kind of file it is. */
const rowsOf = (session: Session, part: Part, reading: Reading): AsyncIterable<Batch> => {
  const { builder } = session.resolved
  const [, packed] = /\.(bz2|xz|lz4|7z|rar|lzma|br)$/i.exec(part.file.path) ?? []
  if (packed !== undefined) {
    throw new IngestError(`${part.file.path}: expected a plain file, or one in .gz or .zst, found ${packed}`)
  }
  if (isFolder(builder)) {
    return isMetadata(part.file.path)
      ? metadataRows(session, part, builder, reading)
      : fileRow(session, part, builder, reading)
  }
  switch (builder) {
    case "text":
      return textRows(session, part, reading)
    case "webdataset":
      return tarRows(session, part, reading)
    default:
      return tableRows(session, part, reading)
  }
}

/** So many rows of the part, but no more than `most`. */
const countRows = async (session: Session, part: Part, most: number, signal: AbortSignal): Promise<number> => {
  if (session.resolved.builder === "parquet") {
    const { parquetRows } = await import("./huggingface/count.ts")
    return Math.min(most, await parquetRows(session.hub, session.at, part.file, signal))
  }
  if (isFolder(session.resolved.builder) && !isMetadata(part.file.path)) return 1
  const tempDir = await mkdtemp(join(tmpdir(), "sluice-"))
  try {
    let rows = 0
    const reading = { signal, maxBytes: Infinity, tempDir, partial: () => {} }
    for await (const batch of limited(rowsOf(session, part, reading), most)) rows += batch.rows
    return rows
  } finally {
    await rm(tempDir, { recursive: true })
  }
}

/** The files that are items, in order: where there are metadata files, these are; the others belong to their rows. */
const itemFiles = (
  files: readonly HubFile[],
  { builder, options }: Resolved,
  anyMetadata: boolean,
): readonly HubFile[] => {
  if (!isFolder(builder)) return files
  return files.filter(({ path }) => isMetadata(path) === (anyMetadata && options.drop_metadata !== true))
}

async function* listItems(session: Session, options: HuggingFaceOptions, signal: AbortSignal): AsyncGenerator<Item> {
  const { resolved } = session
  const all = resolved.splits.flatMap(({ files }) => files)
  const anyMetadata = isFolder(resolved.builder) && all.some(({ path }) => isMetadata(path))
  // The rows of a metadata file are made of the other files too.
  const others = anyMetadata ? recipeOf(all.map(({ path, oid }) => `${path} ${oid}`)) : ""
  let left = options.limit ?? Infinity
  let order = 0
  for (const split of chooseSplits(resolved.splits, [options.split ?? []].flat())) {
    for (const file of itemFiles(split.files, resolved, anyMetadata)) {
      signal.throwIfAborted()
      if (left <= 0) return
      const whole: Part = { file, order: order++ }
      const item = {
        id: `${resolved.config}/${split.name}/${file.path}`,
        uri: `${session.hub.hubUrl}/datasets/${session.at.repo}/resolve/${session.at.sha}/${file.path}`,
        bytes: file.size,
        resumable: true as const,
      }
      const versionOf = (...more: readonly string[]): string =>
        [file.oid.slice(0, 20), others, ...more].filter(Boolean).join("-")
      if (left === Infinity) {
        yield { ...item, version: versionOf(), payload: whole as unknown as Plain }
        continue
      }
      let rows: number
      try {
        rows = await countRows(session, whole, left, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof IngestError)) throw error
        yield { ...item, version: versionOf(), error: error.message }
        continue
      }
      // Of a file that has more, the version says how much of it there is.
      const cut = rows === left
      left -= rows
      const part: Part = cut ? { ...whole, rows } : whole
      yield { ...item, version: versionOf(cut ? `first${rows}` : ""), payload: part as unknown as Plain }
    }
  }
}

/**
 * A dataset of the Hugging Face Hub.
 *
 * The rows have the dataset's columns (docs/guide/huggingface.md has the types), with thumbnails of its pictures.
 *
 * @throws {ConfigError} at once for options that are wrong; when the run lists it, for a dataset, revision,
 * configuration or split that there is not, or a dataset that has no files which can be read.
 * @throws {AuthError} when it may not be read; the message says what to do.
 * @example
 * ```ts
 * const feed = huggingface({ repo: "uoft-cs/cifar10", split: "test", limit: 1000 })
 * await run(planOf({ name: "cifar", feed, sink: lance({ uri: "./data", table: "cifar" }) }))
 * ```
 */
export const huggingface = (options: HuggingFaceOptions): Feed => {
  const { repo, columns, limit, cacheDir, cacheBytes = 4 * 2 ** 30, keepCache = false, thumbnails = true } = options
  checkRepo(repo)
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new ConfigError(`limit: expected a whole number of at least 1, found ${limit}`)
  }
  const types = readSchema(options.schema)
  const hub = openHub(options)
  let session: Session | undefined

  const normalize: Normalize = async function* (item, _options, context) {
    if (!session) throw new Error("items are listed before they are normalized")
    const part = partOf(item)
    const { withThumbnails } = await import("../media/picture-thumbnails.ts")
    const missing = countGaps(context.partial)
    const reading = { ...context, partial: missing.add }
    let firstRow = 0
    for await (const batch of rowsOf(session, part, reading)) {
      context.progress()
      const pictures = thumbnails
        ? [...batch.columns].flatMap(([name, { type }]) => (type.name === "IMAGE" ? [name] : []))
        : []
      const step = pictures.length > 0 ? PICTURES : batch.rows
      for (let start = 0; start < batch.rows; start += step) {
        const slice = sliceBatch(batch, start, Math.min(start + step, batch.rows))
        const rows = await withThumbnails(slice, pictures, { item, firstRow, ...reading })
        yield { ...rows, medium: "huggingface" }
        firstRow += slice.rows
      }
    }
    missing.end()
  }

  let recipe = ""
  return {
    source: {
      name: "huggingface",
      retries: hub.retries,
      items: async function* (context) {
        const { at, resolved, tree } = await resolveOn(hub, options, context)
        const cache = await openCache(hub, at, {
          ...(cacheDir !== undefined && { dir: cacheDir }),
          maxBytes: cacheBytes,
          keep: keepCache,
        })
        const labels = isFolder(resolved.builder) ? folderLabels(resolved.splits, resolved.options) : undefined
        session = { hub, at, cache, resolved, tree, labels, columns, types }
        const { builder, features, options: own } = resolved
        recipe = recipeOf("huggingface", REVISION, builder, JSON.stringify([own, [...(features ?? [])], [...types]]), [
          labels ?? [],
          columns ?? null,
          thumbnails,
        ])
        yield* listItems(session, options, context.signal)
      },
    },
    code: {
      normalize,
      prepare: (items, signal) => {
        for (const { file, order } of items.map(partOf)) session?.cache.ahead(file, order, signal)
      },
      options: {},
    },
    route: () => ({ lane: "main", recipe }),
  }
}

export const huggingfaceSource = Source.define({
  type: "huggingface",
  description: "A dataset of the Hugging Face Hub.",
  fields: HUGGINGFACE_FIELDS,
  make: (values, { schema }) => huggingface({ ...huggingFaceOptions(values), schema }),
})
