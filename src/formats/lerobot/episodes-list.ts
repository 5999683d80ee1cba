/**
 * The episodes that a dataset lists: `meta/episodes.jsonl` in v2, `meta/episodes/chunk-NNN/file-NNN.parquet` in v3.
 * What the list says wrong or twice is told, and the rest of it is taken.
 */
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import type { Batch } from "../../model/batch.ts"
import { type Value, valueAt } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { parseJson } from "../../model/json-text.ts"
import type { SourceContext } from "../../model/source.ts"
import type { ColumnType } from "../../model/types.ts"
import { type Chunks, chunkOfEpisode, isAll, isIn } from "./chunks.ts"
import { locate } from "./files.ts"
import { type Info, isV3 } from "./info.ts"
import type { Camera } from "./names.ts"
import { matching } from "./template.ts"

/** Where the frames of an episode, or its pictures, stand in v3. */
export interface Place {
  readonly chunk: number
  readonly file: number
}

/** An episode's part of a video file, in seconds. */
export interface VideoPlace extends Place {
  readonly from: number
  /** NaN where the list does not say. */
  readonly to: number
  /** About how much of the file it is, from 0 to 1. */
  readonly share: number
}

export interface Episode {
  readonly index: number
  /** Its tasks, joined by `; `; null where the list has none. */
  readonly task: string | null
  /** Frames; null where the list does not say. */
  readonly length: number | null
  readonly chunk: number
  /** v3: where its frames are. */
  readonly data?: Place
  /** v3: where its pictures are, by the key of the camera. */
  readonly videos?: Readonly<Record<string, VideoPlace>>
}

/** An entry of the list that cannot be read. */
export interface Unlisted {
  /** Where it stands, relative to the dataset. */
  readonly at: string
  readonly problem: string
}

export const EPISODES_JSONL = "meta/episodes.jsonl"
export const EPISODES_PARQUET = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"

const whole = (value: unknown): number | undefined => {
  const number = typeof value === "bigint" ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

const taskOf = (tasks: unknown): string | null => {
  if (Array.isArray(tasks)) return tasks.length > 0 ? tasks.map(String).join("; ") : null
  return typeof tasks === "string" ? tasks : null
}

const expectedLine = `{"episode_index": 0, "tasks": ["..."], "length": 100}`

const episodeOfLine = (line: string, info: Info): Episode => {
  const row = parseJson(line)
  const fields = (typeof row === "object" && row !== null ? row : {}) as Readonly<Record<string, unknown>>
  const index = whole(fields.episode_index)
  if (index === undefined) throw new IngestError(`expected a line such as ${expectedLine}, found ${line.slice(0, 200)}`)
  const length = whole(fields.length) ?? null
  return { index, task: taskOf(fields.tasks), length, chunk: chunkOfEpisode(index, info) }
}

async function* fromLines(info: Info): AsyncGenerator<Episode | Unlisted, void, undefined> {
  const { path, bytes } = await locate(info.root, EPISODES_JSONL, "the list of episodes")
  if (bytes === 0) throw new IngestError(`${EPISODES_JSONL} is empty: expected a line such as ${expectedLine}`)
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() === "") continue
    if (number === 1 && line.startsWith("version https://git-lfs.")) {
      throw new IngestError(`${EPISODES_JSONL} is a Git LFS pointer, not the file itself; fetch it with: git lfs pull`)
    }
    try {
      yield episodeOfLine(line, info)
    } catch (error) {
      yield { at: `${EPISODES_JSONL}:${number}`, problem: messageOf(error) }
    }
  }
}

/** A row of the list, as JavaScript has it. */
type Row = Readonly<Record<string, Value>>

const rowOf = (batch: Batch, row: number): Row =>
  Object.fromEntries([...batch.columns].map(([name, column]) => [name, valueAt(column, row)]))

const secondsOf = (value: Value | undefined): number => (typeof value === "number" ? value : Number.NaN)

const fileOf = (row: Row, key: string): string =>
  `${row[`videos/${key}/chunk_index`]}/${row[`videos/${key}/file_index`]}`

/** By the key of the camera and the file: the second at which the last of the episodes ends in it. */
type Ends = ReadonlyMap<string, ReadonlyMap<string, number>>

const endsOf = (rows: readonly Row[], cameras: readonly Camera[]): Ends =>
  new Map(
    cameras.map(({ key }) => {
      const ends = new Map<string, number>()
      for (const row of rows) {
        const end = secondsOf(row[`videos/${key}/to_timestamp`])
        if (end > (ends.get(fileOf(row, key)) ?? 0)) ends.set(fileOf(row, key), end)
      }
      return [key, ends]
    }),
  )

const videosOf = (row: Row, ends: Ends): Readonly<Record<string, VideoPlace>> =>
  Object.fromEntries(
    [...ends].flatMap(([key, lasts]) => {
      const chunk = whole(row[`videos/${key}/chunk_index`])
      const file = whole(row[`videos/${key}/file_index`])
      if (chunk === undefined || file === undefined) return []
      const from = secondsOf(row[`videos/${key}/from_timestamp`])
      const to = secondsOf(row[`videos/${key}/to_timestamp`])
      const share = (to - from) / (lasts.get(fileOf(row, key)) ?? Number.NaN)
      return [[key, { chunk, file, from, to, share: share >= 0 && share <= 1 ? share : 1 }]]
    }),
  )

const episodeOfRow = (row: Row, ends: Ends): Episode => {
  const { episode_index, tasks, length, "data/chunk_index": dataChunk, "data/file_index": dataFile } = row
  const [index, chunk, file] = [whole(episode_index), whole(dataChunk), whole(dataFile)]
  if (index === undefined || chunk === undefined || file === undefined) {
    const found = [episode_index, dataChunk, dataFile].map((value) => value ?? "none").join(", ")
    throw new IngestError(`expected episode_index, data/chunk_index and data/file_index, found ${found}`)
  }
  return {
    index,
    task: taskOf(typeof tasks === "string" ? JSON.parse(tasks) : null),
    length: whole(length) ?? null,
    chunk,
    data: { chunk, file },
    videos: videosOf(row, ends),
  }
}

const INT64: ColumnType = { name: "INT64" }
const FLOAT64: ColumnType = { name: "FLOAT64" }

/** The columns that are needed; next to them stand a hundred with statistics. */
const wanted = (cameras: readonly Camera[]): readonly { readonly name: string; readonly type: ColumnType }[] => [
  ...["episode_index", "length", "data/chunk_index", "data/file_index"].map((name) => ({ name, type: INT64 })),
  { name: "tasks", type: { name: "JSON" } },
  ...cameras.flatMap(({ key }) => [
    ...["chunk_index", "file_index"].map((name) => ({ name: `videos/${key}/${name}`, type: INT64 })),
    ...["from_timestamp", "to_timestamp"].map((name) => ({ name: `videos/${key}/${name}`, type: FLOAT64 })),
  ]),
]

/** The rows of one file of the list, a batch at a time. */
async function* rowsOf(path: string, cameras: readonly Camera[]): AsyncGenerator<readonly Row[], void, undefined> {
  const [{ columnTypes }, { readTable }] = await Promise.all([
    import("../../readers/describe.ts"),
    import("../../readers/read.ts"),
  ])
  const types = await columnTypes(path)
  const columns = wanted(cameras).filter(({ name }) => types.has(name))
  for await (const batch of readTable({ path, format: "parquet" }, { columns })) {
    yield Array.from({ length: batch.rows }, (_, row) => rowOf(batch, row))
  }
}

async function* fromParquet(
  info: Info,
  cameras: readonly Camera[],
): AsyncGenerator<Episode | Unlisted, void, undefined> {
  let files = 0
  for await (const { path } of matching(info.root, EPISODES_PARQUET)) {
    files++
    let number = 0
    try {
      const located = await locate(info.root, path, "the list of episodes")
      for await (const rows of rowsOf(located.path, cameras)) {
        const ends = endsOf(rows, cameras)
        for (const row of rows) {
          try {
            yield episodeOfRow(row, ends)
          } catch (error) {
            yield { at: `${path}:${number}`, problem: messageOf(error) }
          }
          number++
        }
      }
    } catch (error) {
      yield { at: path, problem: messageOf(error) }
    }
  }
  if (files === 0) throw new IngestError(`there is no file ${EPISODES_PARQUET}`)
}

/**
 * The episodes of the chosen chunks, each once, in the order of the list.
 *
 * @throws {IngestError} when there is no list, or nothing in it.
 */
export async function* listedEpisodes(
  info: Info,
  cameras: readonly Camera[],
  chunks: Chunks,
  { signal, warn }: SourceContext,
): AsyncGenerator<Episode | Unlisted, void, undefined> {
  const seen = new Set<number>()
  let repeated = 0
  let problems = 0
  for await (const entry of isV3(info) ? fromParquet(info, cameras) : fromLines(info)) {
    signal.throwIfAborted()
    if ("problem" in entry) {
      problems++
      yield entry
    } else if (seen.has(entry.index)) repeated++
    else {
      seen.add(entry.index)
      if (isIn(entry.chunk, chunks)) yield entry
    }
  }
  const list = isV3(info) ? "meta/episodes" : EPISODES_JSONL
  if (seen.size + problems === 0) throw new IngestError(`${list} lists no episodes`)
  if (repeated > 0) warn(`${list} lists ${repeated} episodes a second time; the first time counts`)
  const { totalEpisodes } = info
  if (isAll(chunks) && problems === 0 && totalEpisodes !== undefined && totalEpisodes !== seen.size) {
    warn(`meta/info.json says that there are ${totalEpisodes} episodes, ${list} lists ${seen.size}`)
  }
}
