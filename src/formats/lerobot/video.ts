/** The bytes of an episode's video. */
import { readFileSync } from "node:fs"
import { open, stat } from "node:fs/promises"
import { checkPointer, POINTER_BYTES } from "../../media/lfs.ts"
import { clipOf, FfmpegNotFound } from "../../media/video/clips.ts"
import { IngestError, isFatal, messageOf } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { formatBytes } from "../../model/units.ts"
import type { EpisodeVideo } from "./episode-items.ts"
import { checkSame } from "./files.ts"

const WHOLE = { start: 0, end: Number.POSITIVE_INFINITY }

const checkHead = async (path: string): Promise<void> => {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(POINTER_BYTES), 0, POINTER_BYTES, 0)
    checkPointer(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

const readWhole = async (path: string, maxBytes: number): Promise<Uint8Array> => {
  const { size } = await stat(path)
  if (size > maxBytes) {
    throw new IngestError(
      `it has ${formatBytes(size)}, and the videos of an episode may have ${formatBytes(maxBytes)} more in memory; raise "max_item_bytes"`,
    )
  }
  return readFileSync(path)
}

/**
 * The video as a file of its own; undefined where there is none. What is missing or other than expected is told to
 * `context.partial`.
 *
 * @param frames that it should have; null where nobody says.
 * @throws {IngestError} when the file has changed since it was listed.
 */
export const videoOf = async (
  { column, file, path, version, stretch }: EpisodeVideo,
  frames: number | null,
  context: NormalizeContext,
): Promise<Uint8Array | undefined> => {
  const say = (message: string): void => context.partial(`${column}: ${file}: ${message}`)
  if (path === null) {
    say(version)
    return undefined
  }
  const read = async (): Promise<Uint8Array | undefined> => {
    await checkHead(path)
    const { data, pictures } = await clipOf(path, stretch ?? WHOLE, { ...context, partial: say }).catch(
      (error: unknown) => {
        // Without FFmpeg a file can still be handed on as it is, only not looked into.
        if (!(error instanceof FfmpegNotFound) || stretch) throw error
        say(`its frames were not counted: ${error.message}`)
        return { data: undefined, pictures: frames }
      },
    )
    if (frames !== null && pictures !== frames) say(`expected ${frames} frames, found ${pictures}`)
    return pictures === 0 ? undefined : (data ?? (await readWhole(path, context.maxBytes)))
  }
  try {
    const data = await read()
    await checkSame({ path, version })
    return data
  } catch (error) {
    context.signal.throwIfAborted()
    if (isFatal(error)) throw error
    await checkSame({ path, version })
    say(messageOf(error))
    return undefined
  }
}
