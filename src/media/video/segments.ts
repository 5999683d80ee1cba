/** Takes videos apart: with the FFmpeg that node-av brings, or with the one on the PATH where node-av is not installed. */
import { IngestError } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { nodeAvProblem } from "./node-av.ts"
import type { Segment } from "./segment.ts"

async function* segmentsByAnyMeans(path: string, length: number, context: NormalizeContext): AsyncGenerator<Segment> {
  const problem = await nodeAvProblem()
  if (problem === undefined) {
    const { avSegments } = await import("./av-segments.ts")
    yield* avSegments(path, length, context)
    return
  }
  const { cliSegments, FfmpegNotFound } = await import("./cli-segments.ts")
  try {
    yield* cliSegments(path, length, context)
  } catch (error) {
    throw error instanceof FfmpegNotFound ? new IngestError(`${error.message} [node-av: ${problem}]`) : error
  }
}

/**
 * The segments of a video, in order, each as soon as it is complete. `length` is in seconds. Intermediate files are
 * in `context.tempDir` and gone when the segment is yielded. What is missing is told to `context.partial`.
 *
 * @throws {IngestError} when the file is no video that can be read, and when there is nothing to read it with.
 */
export async function* segmentsOf(path: string, length: number, context: NormalizeContext): AsyncGenerator<Segment> {
  let found = false
  for await (const segment of segmentsByAnyMeans(path, length, context)) {
    found = true
    yield segment
  }
  if (!found) throw new IngestError("no picture of the video can be read: the file is cut off or damaged")
}
