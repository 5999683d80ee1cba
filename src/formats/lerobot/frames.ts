/** The frames of a LeRobot dataset: what the robot measured and did at each moment. */
import type { Batch } from "../../model/batch.ts"
import { isNull } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import type { NormalizeContext, Rows } from "../../model/normalizer.ts"
import type { SourceContext } from "../../model/source.ts"
import { formatType, type SchemaMap } from "../../model/types.ts"
import { columnsOf } from "../standalone.ts"
import { CHUNK_FIELDS, type ChunkOptions, chunksOf, DATASET_DIR } from "./chunks.ts"
import { type DataFile, dataFiles } from "./data-files.ts"
import { checkSame, locate } from "./files.ts"
import { type Info, isV3, readInfo } from "./info.ts"
import { FRAME_COLUMNS, type FrameFeature, frameFeatures } from "./names.ts"

const NAME = "lerobot_frames"
const REVISION = 1

/** What is done again after a kill is no more than this. */
const ITEM = { rows: 100_000, bytes: 64 << 20 }

interface Range {
  readonly start: number
  readonly end: number
}

/** What an item's payload says. */
interface Part {
  /** Fingerprint of the file. */
  readonly version: string
  /** Absent: all rows. */
  readonly rows: Range | null
  /** What the list of episodes says that the whole file has, where this is the last part of it. */
  readonly expected: number | null
}

export interface LeRobotFramesOptions extends ChunkOptions {
  /** Folder of the dataset, with `meta/info.json` in it. */
  readonly datasetDir: string
  /** A column for each number of a vector (default), or one EMBEDDING a vector. */
  readonly unpack?: boolean
  /** Make thumbnails of pictures in the data files. Default true. */
  readonly thumbnails?: boolean
}

const itemsOf = async (
  info: Info,
  { path: id, frames, episode }: DataFile,
  shape: string,
): Promise<readonly Item[]> => {
  let located: Awaited<ReturnType<typeof locate>>
  try {
    located = await locate(info.root, id, "data_path")
  } catch (error) {
    const why = episode === undefined ? "" : ` (the list of episodes says that it has the frames of episode ${episode})`
    const item = isV3(info) ? `${id}/0` : id
    return [{ id: item, uri: id, version: "missing", bytes: 0, error: `${messageOf(error)}${why}` }]
  }
  const { path: uri, version: file, bytes } = located
  const version = `${file}:${shape}`
  const expected = frames ?? null
  if (!isV3(info)) {
    const payload = { version: file, rows: null, expected }
    return [{ id, uri, version, bytes, payload }]
  }
  try {
    const { footerOf } = await import("../../readers/describe.ts")
    const footer = await footerOf({ path: uri, format: "parquet" })
    const { rows: total } = footer
    const size = Math.max(1, Math.min(ITEM.rows, Math.floor((ITEM.bytes * total) / Math.max(1, footer.bytes))))
    return Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, index): Item => {
      const start = index * size
      const end = Math.min(total, start + size)
      const payload = { version: file, rows: { start, end }, expected: end === total ? expected : null }
      return { id: `${id}/${start}`, uri, version, bytes: Math.round((bytes * (end - start)) / (total || 1)), payload }
    })
  } catch (error) {
    return [{ id: `${id}/0`, uri, version, bytes: 0, error: messageOf(error) }]
  }
}

const nullsIn = (batch: Batch, names: readonly string[]): number => {
  let nulls = 0
  for (const name of names) {
    const column = batch.columns.get(name)
    for (let row = 0; column?.valid && row < column.length; row++) if (isNull(column, row)) nulls++
  }
  return nulls
}

const normalizeFrames = (features: () => readonly FrameFeature[], thumbnails: boolean) =>
  async function* (item: Item, _options: unknown, context: NormalizeContext): AsyncGenerator<Rows> {
    const [{ withThumbnails }, { columnTypes }, { readTable }, { frameColumns, toFrames }] = await Promise.all([
      import("../../media/picture-thumbnails.ts"),
      import("../../readers/describe.ts"),
      import("../../readers/read.ts"),
      import("./frame-rows.ts"),
    ])
    const { rows, version, expected } = item.payload as unknown as Part
    const columns = frameColumns(features(), await columnTypes(item.uri))
    const missing = columns.flatMap(({ names, read }) => (read ? [] : names))
    if (missing.length > 0) {
      context.partial(`the file lacks columns that meta/info.json names; they are null: ${missing.join(", ")}`)
    }
    const pictures = columns.flatMap(({ names, type, read }) => (read && type.name === "IMAGE" ? names : []))
    const options = {
      columns: columns.flatMap(({ read }) => read ?? []),
      signal: context.signal,
      ...(rows && { rows }),
    }
    let firstRow = 0
    let absent = 0
    for await (const read of readTable({ path: item.uri, format: "parquet" }, options)) {
      const batch = toFrames(read, columns)
      absent += nullsIn(batch, pictures)
      const made = thumbnails ? await withThumbnails(batch, pictures, { item, firstRow, ...context }) : { batch }
      yield { ...made, medium: NAME }
      firstRow += batch.rows
      context.progress()
    }
    if (absent > 0) context.partial(`${absent} pictures have no bytes in the file; they are null`)
    const found = rows?.end ?? firstRow
    if (expected !== null && expected !== found) {
      context.partial(`the list of episodes says that the file has ${expected} frames, it has ${found}`)
    }
    await checkSame({ path: item.uri, version })
  }

/**
 * The frames of a LeRobot dataset (codebase v2.0, v2.1, v3.0), a row each: `index`, `episode_index`, `frame_index`,
 * `task_index` INT64 and `timestamp` FLOAT32 (seconds from the start of the episode), then what `meta/info.json` names
 * under `features`, but for videos (see `LeRobotEpisodes`):
 *
 * - vectors, a column for each number: `state_x`, `action_gripper` (FLOAT32; FLOAT64, INT32, INT64, BOOL by `dtype`).
 *   With `unpack: false`, and above 128 numbers, one column: EMBEDDING for floats, else JSON
 * - single values by their `dtype`, pictures as IMAGE, arrays of two and more dimensions as JSON
 *
 * A file of episodes that is missing, damaged or a Git LFS pointer is a failed item. A run that is cut goes on with
 * the file (v3: with the part of it) that it was at.
 *
 * @example
 * ```ts
 * const format = new LeRobotFrames({ datasetDir: "./droid", chunkStart: 0, chunkEnd: 3 })
 * await client.ingest("frames", null, { format })
 * ```
 * @throws {ConfigError} when the chunks are no whole numbers from 0, or the end is before the start.
 */
export class LeRobotFrames implements ItemFormat {
  readonly #options: LeRobotFramesOptions

  constructor(options: LeRobotFramesOptions) {
    chunksOf("LeRobotFrames", options)
    this.#options = options
  }

  /** @throws {IngestError} when the dataset's `meta/info.json` cannot be read. */
  schema(): SchemaMap {
    const { datasetDir, unpack = true } = this.#options
    const features = frameFeatures(readInfo(datasetDir).features, unpack)
    return Object.fromEntries([
      ...FRAME_COLUMNS.map(([name, type]) => [name, formatType(type)]),
      ...features.flatMap((feature) =>
        (feature.kind === "unpacked" ? feature.columns : [feature.column]).map((name) => [
          name,
          formatType(feature.type),
        ]),
      ),
    ])
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed())
  }

  feed(): Feed {
    const { datasetDir, unpack = true, thumbnails = true } = this.#options
    const chunks = chunksOf("LeRobotFrames", this.#options)
    let features: readonly FrameFeature[] | undefined
    async function* items(context: SourceContext): AsyncGenerator<Item, void, undefined> {
      const info = readInfo(datasetDir)
      features = frameFeatures(info.features, unpack)
      // The options count only for what they change: without vectors or pictures, they make no other rows.
      const drawn = thumbnails && features.some(({ kind }) => kind === "image")
      const shape = recipeOf(JSON.stringify(features), drawn)
      for await (const file of dataFiles(info, chunks, context)) yield* await itemsOf(info, file, shape)
    }
    const listed = (): readonly FrameFeature[] => {
      if (!features) throw new IngestError("frames are read after they were listed")
      return features
    }
    const recipe = recipeOf(NAME, REVISION)
    return {
      source: { name: NAME, items },
      code: { normalize: normalizeFrames(listed, thumbnails), options: {} },
      route: () => ({ lane: "main", recipe }),
    }
  }
}

export const leRobotFrames = Format.define({
  type: NAME,
  description:
    "The frames of a LeRobot dataset (v2.0, v2.1, v3.0): a row a frame, states and actions in columns of their own.",
  fields: {
    dataset_dir: DATASET_DIR,
    ...CHUNK_FIELDS,
    unpack: {
      type: "boolean",
      default: true,
      description: "A column for each number of a vector, named as in meta/info.json; false: one EMBEDDING a vector.",
    },
    thumbnails: {
      type: "boolean",
      default: true,
      description: "Make thumbnails of pictures that are in the data files.",
    },
  },
  make: ({ dataset_dir, chunk_start, chunk_end, unpack, thumbnails }): ItemFormat =>
    new LeRobotFrames({
      datasetDir: dataset_dir,
      chunkStart: chunk_start,
      ...(chunk_end !== undefined && { chunkEnd: chunk_end }),
      unpack,
      thumbnails,
    }),
})
