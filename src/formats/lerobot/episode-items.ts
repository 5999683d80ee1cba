/** An item for each episode: what the list says of it, and which files and stretches of them its videos are. */
import { messageOf } from "../../model/errors.ts"
import { recipeOf } from "../../model/feed.ts"
import type { Item, Plain } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import { type Chunks, chunkOfEpisode, chunkOfFile, isIn } from "./chunks.ts"
import { type Episode, listedEpisodes, type VideoPlace } from "./episodes-list.ts"
import { type Located, locate } from "./files.ts"
import { type Info, isV3 } from "./info.ts"
import { type Camera, cameras } from "./names.ts"
import { fill, matching, type Values } from "./template.ts"

/** A video of an episode, as plain data. */
export interface EpisodeVideo {
  readonly column: string
  /** As messages name it: relative to the dataset. */
  readonly file: string
  /** Real path; null where there is no file to read. */
  readonly path: string | null
  /** Fingerprint of the file, or why there is none. */
  readonly version: string
  /** Seconds in the file; null: all of it. */
  readonly stretch: { readonly start: number; readonly end: number } | null
}

export interface EpisodePayload {
  readonly index: number
  readonly task: string | null
  readonly length: number | null
  readonly videos: readonly EpisodeVideo[]
  /** What is missing of the episode besides videos; null where nothing is. */
  readonly note: string | null
}

/** Some datasets have their videos here, whatever `video_path` says. */
const otherFolder = (path: string): string | undefined =>
  path.startsWith("videos/") ? path.replace("videos/", "video/") : undefined

/** Finds video files; says once for a dataset where they are when that is not where they should be. */
const videoFinder = ({ root }: Info, { warn }: SourceContext) => {
  let told = false
  // Episodes that share a file stand one behind the other.
  const last = new Map<string, { readonly path: string; readonly found: Located & { readonly file: string } }>()
  return async (camera: string, path: string): Promise<Located & { readonly file: string }> => {
    const known = last.get(camera)
    if (known?.path === path) return known.found
    const what = `video_path for ${camera}`
    const other = otherFolder(path)
    const found = await locate(root, path, what).then(
      (located) => ({ ...located, file: path }),
      async (error: unknown) => {
        const elsewhere = other && (await locate(root, other, what).catch(() => undefined))
        if (!elsewhere) throw error
        if (!told)
          warn(`The videos are in the folder video, where meta/info.json says videos; they are taken from there`)
        told = true
        return { ...elsewhere, file: other }
      },
    )
    last.set(camera, { path, found })
    return found
  }
}

const stretchOf = (
  { from, to }: VideoPlace,
  { length }: Episode,
  { fps }: Info,
): { readonly start: number; readonly end: number } | undefined => {
  const end = Number.isNaN(to) && fps !== undefined && length !== null ? from + length / fps : to
  return Number.isFinite(from) && end >= from ? { start: from, end } : undefined
}

const placeIn = ({ index, chunk }: Episode, camera: string, place: VideoPlace | undefined): Values => ({
  ...(place ? { chunk_index: place.chunk, file_index: place.file } : { episode_chunk: chunk, episode_index: index }),
  video_key: camera,
})

type Find = ReturnType<typeof videoFinder>

const videoOf = async (
  info: Info,
  episode: Episode,
  { key, column }: Camera,
  template: string,
  find: Find,
): Promise<EpisodeVideo & { readonly bytes: number }> => {
  const place = episode.videos?.[key]
  const none = (file: string, version: string) => ({ column, file, path: null, version, stretch: null, bytes: 0 })
  if (isV3(info) && !place) return none(key, "the list of episodes does not say where it is")
  const stretch = place ? stretchOf(place, episode, info) : null
  const file = fill(template, placeIn(episode, key, place))
  if (stretch === undefined) {
    const [from, to] = [place?.from, place?.to].map((time) => (Number.isFinite(time) ? `${time} s` : "an unknown time"))
    return none(file, `the list of episodes says that it goes from ${from} to ${to}`)
  }
  try {
    const { path, version, bytes, file: found } = await find(key, file)
    return { column, file: found, path, version, stretch, bytes: Math.round(bytes * (place?.share ?? 1)) }
  } catch (error) {
    return none(file, messageOf(error))
  }
}

/** Episodes that have files but are not in the list. */
async function* unlisted(
  info: Info,
  listed: ReadonlySet<number>,
  chunks: Chunks,
): AsyncGenerator<Episode, void, undefined> {
  const { footerOf } = await import("../../readers/describe.ts")
  for await (const { path, values } of matching(info.root, info.dataPath)) {
    const { episode_index: index } = values
    if (index === undefined || listed.has(index) || !isIn(chunkOfFile(info, values), chunks)) continue
    const length = await locate(info.root, path, "data_path")
      .then((located) => footerOf({ path: located.path, format: "parquet" }))
      .then(({ rows }) => rows)
      // Whoever reads the frames is told what is wrong with the file.
      .catch(() => null)
    yield { index, task: null, length, chunk: chunkOfEpisode(index, info) }
  }
}

/** Six digits, as in the names of files; so they sort. */
const idOf = (index: number): string => `episode_${String(index).padStart(6, "0")}`

/** The items of the chosen chunks, in the order of the list. */
export async function* episodeItems(
  info: Info,
  chunks: Chunks,
  context: SourceContext,
): AsyncGenerator<Item, void, undefined> {
  const { videoPath: template } = info
  const views = template === undefined ? [] : cameras(info.features)
  const find = videoFinder(info, context)
  const listed = new Set<number>()

  const itemOf = async (episode: Episode, note: string | null): Promise<Item> => {
    const found = await Promise.all(views.map((view) => videoOf(info, episode, view, template ?? "", find)))
    const videos = found.map(({ bytes: _, ...video }) => video)
    const bytes = found.reduce((sum, video) => sum + video.bytes, 0)
    const { index, task, length } = episode
    const payload: EpisodePayload = { index, task, length, videos, note }
    // The path may be another one where the dataset was moved; the episode is the same.
    const shape = { index, task, length, note, videos: videos.map(({ path: _, ...video }) => video) }
    return {
      id: idOf(index),
      uri: info.root,
      version: recipeOf(JSON.stringify(shape)),
      bytes,
      payload: payload as unknown as Plain,
    }
  }

  try {
    for await (const entry of listedEpisodes(info, views, chunks, context)) {
      if ("problem" in entry) {
        yield { id: entry.at, uri: info.root, version: recipeOf(entry.problem), bytes: 0, error: entry.problem }
        continue
      }
      listed.add(entry.index)
      yield await itemOf(entry, null)
    }
  } catch (error) {
    context.signal.throwIfAborted()
    // Nothing else says where the videos of an episode are.
    if (isV3(info)) throw error
    context.warn(`${messageOf(error)}. The episodes are taken from the data files that are there, without their tasks`)
  }
  if (isV3(info)) return
  for await (const episode of unlisted(info, listed, chunks)) {
    context.signal.throwIfAborted()
    yield await itemOf(episode, "it is not in the list of episodes: its data file is there, its task is not known")
  }
}
