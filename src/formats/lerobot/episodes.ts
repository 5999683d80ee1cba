/** The episodes of a LeRobot dataset: what was done, for how long, and what the cameras saw. */
import { batchOf } from "../../model/batch.ts"

import { bytesColumn, numberColumn, textColumn, validity } from "../../model/column.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type ItemFormat } from "../../model/format.ts"
import type { Item, Plain } from "../../model/item.ts"
import type { NormalizeContext, Rows } from "../../model/normalizer.ts"
import type { SourceContext } from "../../model/source.ts"
import type { ColumnType, SchemaMap } from "../../model/types.ts"
import { columnsOf } from "../standalone.ts"
import { CHUNK_FIELDS, type ChunkOptions, chunksOf, DATASET_DIR } from "./chunks.ts"
import { type EpisodePayload, episodeItems } from "./episode-items.ts"
import { readInfo } from "./info.ts"
import { cameras } from "./names.ts"
import { videoOf } from "./video.ts"

const NAME = "lerobot_episodes"
const REVISION = 1

const VIDEO: ColumnType = { name: "VIDEO", blob: true }

const whole = (value: number | null) => {
  const column = numberColumn(BigInt64Array.of(BigInt(value ?? 0)), { name: "INT64" })
  const valid = validity(1, () => value !== null)
  return valid ? { ...column, valid } : column
}

/** What a worker runs for an episode: a row. */
export async function* normalizeEpisode(
  item: Item,
  _options: Readonly<Record<string, Plain>>,
  context: NormalizeContext,
): AsyncGenerator<Rows> {
  const { index, task, length, videos, note } = item.payload as unknown as EpisodePayload
  if (note !== null) context.partial(note)
  const columns: Record<string, Uint8Array | undefined> = {}
  let room = context.maxBytes
  for (const video of videos) {
    const data = await videoOf(video, length, { ...context, maxBytes: room })
    room -= data?.length ?? 0
    columns[video.column] = data
    context.progress()
  }
  const batch = batchOf({
    episode_index: whole(index),
    task: textColumn([task]),
    length: whole(length),
    ...Object.fromEntries(Object.entries(columns).map(([name, data]) => [name, bytesColumn([data], VIDEO)])),
  })
  yield { batch, medium: NAME }
}

export interface LeRobotEpisodesOptions extends ChunkOptions {
  /** Folder of the dataset, with `meta/info.json` in it. */
  readonly datasetDir: string
}

/**
 * The episodes of a LeRobot dataset (codebase v2.0, v2.1, v3.0), a row each: `episode_index` INT64, `task` TEXT (several
 * tasks are joined by `; `), `length` INT64 (frames), and a VIDEO a camera: `observation.images.front` is
 * `front_video`.
 *
 * The videos of v2 are the files' bytes. In v3 a file holds many episodes: an episode's part of it is taken out as it
 * is, without loss; where it cannot be decoded on its own, it is encoded again.
 *
 * A video that is missing, a Git LFS pointer or no video is null; one that has other than `length` frames is kept. Both
 * are reported, and the row is there.
 *
 * @example
 * ```ts
 * await client.ingest("episodes", null, { format: new LeRobotEpisodes({ datasetDir: "./droid" }) })
 * ```
 * @throws {ConfigError} when the chunks are no whole numbers from 0, or the end is before the start.
 */
export class LeRobotEpisodes implements ItemFormat {
  readonly #options: LeRobotEpisodesOptions

  constructor(options: LeRobotEpisodesOptions) {
    chunksOf("LeRobotEpisodes", options)
    this.#options = options
  }

  /** @throws {IngestError} when the dataset's `meta/info.json` cannot be read. */
  schema(): SchemaMap {
    const { features, videoPath } = readInfo(this.#options.datasetDir)
    const videos = videoPath === undefined ? [] : cameras(features)
    return {
      ...{ episode_index: "INT64", task: "TEXT", length: "INT64" },
      ...Object.fromEntries(videos.map(({ column }) => [column, "VIDEO"])),
    }
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed())
  }

  feed(): Feed {
    const { datasetDir } = this.#options
    const chunks = chunksOf("LeRobotEpisodes", this.#options)
    const items = (context: SourceContext): AsyncIterable<Item> => episodeItems(readInfo(datasetDir), chunks, context)
    const recipe = recipeOf(NAME, REVISION)
    const hasVideos = ({ payload }: Item): boolean =>
      ((payload as unknown as EpisodePayload | undefined)?.videos ?? []).some(({ path }) => path !== null)
    return {
      source: {
        name: NAME,
        items: async function* (context) {
          yield* items(context)
        },
      },
      code: { module: import.meta.url, name: normalizeEpisode.name, options: {} },
      route: (item) => ({ lane: hasVideos(item) ? "process" : "thread", recipe }),
    }
  }
}

export const leRobotEpisodes = Format.define({
  type: NAME,
  description: "The episodes of a LeRobot dataset (v2.0, v2.1, v3.0): a row an episode, with a video for each camera.",
  fields: { dataset_dir: DATASET_DIR, ...CHUNK_FIELDS },
  make: ({ dataset_dir, chunk_start, chunk_end }): ItemFormat =>
    new LeRobotEpisodes({
      datasetDir: dataset_dir,
      chunkStart: chunk_start,
      ...(chunk_end !== undefined && { chunkEnd: chunk_end }),
    }),
})
