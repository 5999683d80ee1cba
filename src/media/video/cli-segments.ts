/**
 * Takes a video apart with the programs `ffmpeg` and `ffprobe`, for machines without node-av. The segments hold the
 * same pictures at the same times; two things are not as good: sound is cut in the order of the file, which puts up
 * to 0.2 s of it on the other side of a cut, and a video that cannot be copied in one place is re-encoded whole.
 */
import { randomUUID } from "node:crypto"
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { encodingInto, hvc1 } from "./cli-encoding.ts"
import { bytesOf, inputOf, linesOf, ToolFailed } from "./cli-process.ts"
import { type Plan, type Probe, plan, probe } from "./cli-scan.ts"
import { type Container, containersFor, takeBytes } from "./files.ts"
import type { Segment } from "./segment.ts"

export { FfmpegNotFound } from "./cli-process.ts"

const cutting = async (
  { cuts, reencode, unstamped }: Plan,
  { codec, rate }: Probe,
  length: number,
  container: Container,
  context: NormalizeContext,
): Promise<readonly string[]> => {
  if (reencode) {
    return [
      // Pictures without times follow one another at the frame rate.
      ...(await encodingInto(container, unstamped ? `setpts=N/(${rate})/TB,` : "", context)),
      ...["-force_key_frames", `expr:gte(t+0.001,n_forced*${length})`],
      ...["-segment_time", String(length), "-segment_time_delta", "0.001"],
    ]
  }
  // No more pictures than any video has: one segment.
  return [
    "-c",
    "copy",
    ...hvc1(codec, container),
    "-segment_frames",
    cuts.length > 0 ? cuts.join(",") : String(2 ** 31 - 2),
  ]
}

const thumbnailOf = (path: string, context: NormalizeContext): Promise<Buffer> => {
  const scale =
    "scale=w=iw*sar:h=ih,setsar=1,scale=w=min(256\\,iw):h=min(256\\,ih):force_original_aspect_ratio=decrease"
  const output = ["-map", "0:v:0", "-frames:v", "1", "-vf", scale, "-c:v", "png", "-f", "image2pipe", "pipe:1"]
  return bytesOf("ffmpeg", [...inputOf(path), ...output], context)
}

export async function* cliSegments(path: string, length: number, context: NormalizeContext): AsyncGenerator<Segment> {
  const probed = await probe(path, context)
  const planned = await plan(path, probed, length, context)
  const prefix = randomUUID()
  // Where a file's clock starts before zero, that is the run-in of its sound: no time that anyone counts.
  const early = Math.min(0, probed.origin)
  let count = 0

  const segment = async (line: string): Promise<Segment> => {
    const [name = "", start, end] = line.split(",")
    const file = join(context.tempDir, name)
    let picture: Buffer | undefined
    try {
      picture = await thumbnailOf(file, context)
    } catch (error) {
      if (!(error instanceof ToolFailed)) throw error
      context.partial(`no thumbnail of the segment at ${Number(start).toFixed(1)} s: ${error.message}`)
    }
    return {
      start: count++ === 0 ? 0 : Number(start) + early,
      end: Number(end) + early,
      data: takeBytes(file, context.maxBytes),
      ...(picture && { picture }),
    }
  }

  const attempt = async function* (container: Container): AsyncGenerator<Segment> {
    const args = [
      ...inputOf(path),
      ...["-map", `0:${probed.picture}`, "-map", "0:a?", "-map_metadata", "-1", "-map_chapters", "-1"],
      ...(await cutting(planned, probed, length, container, context)),
      ...["-fflags", "+bitexact", "-strict", "-2", "-avoid_negative_ts", "disabled"],
      ...["-f", "segment", "-segment_format", container, "-reset_timestamps", "1"],
      ...["-segment_list", "pipe:1", "-segment_list_type", "csv", "-progress", "pipe:3"],
      `file:${join(context.tempDir, `${prefix}-%d.${container}`)}`,
    ]
    for await (const line of linesOf("ffmpeg", args, context)) yield await segment(line)
  }

  try {
    for (const container of containersFor(probed.format, path)) {
      try {
        yield* attempt(container)
        if (planned.shortfall) context.partial(planned.shortfall)
        return
      } catch (error) {
        if (!(error instanceof ToolFailed)) throw error
        // A container that does not take the codecs says so before the first segment.
        if (count > 0 || container === "matroska") {
          throw new IngestError(`ffmpeg could not take the video apart: ${messageOf(error)}`, { cause: error })
        }
      }
    }
  } finally {
    for (const name of readdirSync(context.tempDir)) {
      if (name.startsWith(prefix)) rmSync(join(context.tempDir, name), { force: true })
    }
  }
}
