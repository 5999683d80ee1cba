/** The data files of a dataset: those that its list of episodes names, and those that are there besides. */
import { messageOf } from "../../model/errors.ts"
import type { SourceContext } from "../../model/source.ts"
import { type Chunks, chunkOfEpisode, chunkOfFile, isIn } from "./chunks.ts"
import { listedEpisodes } from "./episodes-list.ts"
import { type Info, isV3 } from "./info.ts"
import { fill, matching } from "./template.ts"

export interface DataFile {
  /** Relative to the dataset, with `/`. */
  readonly path: string
  /** Frames that the list of episodes says it has; undefined where it does not say. */
  readonly frames: number | undefined
  /** An episode that the list says is in it; undefined for a file that is there but not in the list. */
  readonly episode: number | undefined
}

const SHOWN = 5

const some = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(", ")}, ...` : names.join(", ")

/** What the list says of each data file, in the order of the list; what is wrong with the list is told. */
async function* listedFiles(
  info: Info,
  chunks: Chunks,
  context: SourceContext,
): AsyncGenerator<DataFile, void, undefined> {
  /** v3: files hold many episodes, so they are few. */
  const shared = new Map<string, DataFile>()
  try {
    for await (const entry of listedEpisodes(info, [], chunks, context)) {
      if ("problem" in entry) {
        context.warn(`${entry.at}: ${entry.problem}`)
        continue
      }
      const { index, length, data } = entry
      if (!data) {
        const values = { episode_chunk: chunkOfEpisode(index, info), episode_index: index }
        yield { path: fill(info.dataPath, values), frames: length ?? undefined, episode: index }
        continue
      }
      const path = fill(info.dataPath, { chunk_index: data.chunk, file_index: data.file })
      const known = shared.get(path) ?? { path, frames: 0, episode: index }
      const frames = known.frames === undefined || length === null ? undefined : known.frames + length
      shared.set(path, { ...known, frames })
    }
  } catch (error) {
    context.signal.throwIfAborted()
    context.warn(`${messageOf(error)}. The frames are taken from the files that are there`)
  }
  yield* shared.values()
}

/**
 * The data files of the chosen chunks: first those that the list of episodes names, in its order, then the others, in
 * the order of their paths. What the two do not agree about is told.
 */
export async function* dataFiles(
  info: Info,
  chunks: Chunks,
  context: SourceContext,
): AsyncGenerator<DataFile, void, undefined> {
  const seen = new Set<string>()
  for await (const file of listedFiles(info, chunks, context)) {
    seen.add(file.path)
    yield file
  }
  const listed = seen.size > 0
  const extra: string[] = []
  for await (const { path, values } of matching(info.root, info.dataPath)) {
    context.signal.throwIfAborted()
    if (seen.has(path) || !isIn(chunkOfFile(info, values), chunks)) continue
    extra.push(path)
    yield { path, frames: undefined, episode: undefined }
  }
  if (listed && extra.length > 0) {
    context.warn(
      `${extra.length} data ${extra.length === 1 ? "file is" : "files are"} not in the list of episodes; ${extra.length === 1 ? "its" : "their"} frames are taken, too: ${some(extra)}`,
    )
  }
  if (seen.size + extra.length === 0) {
    const range = `chunks ${chunks.first} to ${Number.isFinite(chunks.last) ? chunks.last : "the last"}`
    context.warn(`No data files in ${range} of ${info.root} (${isV3(info) ? "v3" : "v2"}: ${info.dataPath})`)
  }
}
