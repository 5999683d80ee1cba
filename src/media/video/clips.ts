/** Takes stretches out of videos: with the FFmpeg that node-av brings, or with the one on the PATH. */
import type { NormalizeContext } from "../../model/normalizer.ts"
import { FfmpegNotFound } from "./cli-process.ts"
import { nodeAvProblem } from "./node-av.ts"
import type { Clip, Stretch } from "./stretch.ts"

export { FfmpegNotFound } from "./cli-process.ts"

/**
 * The pictures of a video that are shown in a stretch of it, as a video file of its own that starts at 0: the packets
 * as they are, without loss, or where these would not decode on their own, encoded again. What is missing of a file
 * that is nothing but the stretch is told to `context.partial`.
 *
 * @throws {FfmpegNotFound} when there is nothing to read it with.
 * @throws {IngestError} when the file is no video that can be read, or the clip has more than `context.maxBytes`.
 * @example
 * ```ts
 * const { data, pictures } = await clipOf("talk.mp4", { start: 12.5, end: 20 }, context)
 * ```
 */
export const clipOf = async (path: string, stretch: Stretch, context: NormalizeContext): Promise<Clip> => {
  const problem = await nodeAvProblem()
  if (problem === undefined) {
    const { avClip } = await import("./av-clip.ts")
    return avClip(path, stretch, context)
  }
  const { cliClip } = await import("./cli-clip.ts")
  try {
    return await cliClip(path, stretch, context)
  } catch (error) {
    throw error instanceof FfmpegNotFound ? new FfmpegNotFound(`${error.why}; node-av: ${problem}`) : error
  }
}
