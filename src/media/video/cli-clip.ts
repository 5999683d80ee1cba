/** Takes a stretch out of a video with the programs `ffmpeg` and `ffprobe`, for machines without node-av. */
import { randomUUID } from "node:crypto"
import { rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { formatBytes } from "../../model/units.ts"
import { encodingInto, hvc1 } from "./cli-encoding.ts"
import { inputOf, linesOf, run, ToolFailed } from "./cli-process.ts"
import { cleanKeys, type Probe, probe } from "./cli-scan.ts"
import { type Container, containersFor, takeBytes } from "./files.ts"
import { newPace } from "./pace.ts"
import { shortfallOf } from "./shortfall.ts"
import { type Clip, leadOf, newCut, placeOf, type Stretch, toleranceOf } from "./stretch.ts"
import { cutOff } from "./structure.ts"

/** What is read beyond a stretch, in seconds: packets stand in the order of decoding, not of showing. */
const BEYOND = 2

/** Times are handed over in decimals; a picture must not fall out because of the last of them. */
const ROUNDING = 0.001

const rateOf = ({ rate }: Probe): number => {
  const [frames = 0, per = 0] = rate.split("/").map(Number)
  return frames > 0 && per > 0 ? frames / per : 0
}

interface Packet {
  readonly time: number
  readonly decoded: number
  readonly stamp: string
  readonly key: boolean
  readonly hidden: boolean
  readonly end: number
}

const secondsOf = (text: string | undefined): number =>
  text === undefined || text === "N/A" ? Number.NaN : Number(text)

/** The packets of the picture, in file order; `interval` as `-read_intervals` has it. */
async function* packetsOf(
  path: string,
  { picture, origin }: Probe,
  interval: readonly string[],
  context: NormalizeContext,
): AsyncGenerator<Packet> {
  const entries = "packet=pts,pts_time,dts_time,duration_time,flags"
  const pace = newPace(context)
  const args = ["-select_streams", String(picture), ...interval, "-show_entries", entries, "-of", "compact=p=0"]
  for await (const line of linesOf("ffprobe", [...args, ...inputOf(path)], context)) {
    if (pace.due()) await pace.pause()
    const fields: Record<string, string> = Object.fromEntries(line.split("|").map((field) => field.split("=", 2)))
    const { pts = "", pts_time, dts_time, duration_time, flags = "" } = fields
    const time = secondsOf(pts_time) - origin
    const hidden = flags.includes("D")
    const key = flags.startsWith("K")
    yield { time, decoded: secondsOf(dts_time) - origin, stamp: pts, key, hidden, end: time + secondsOf(duration_time) }
  }
}

/** A video that is nothing but the stretch. */
const wholeClip = async (path: string, probed: Probe, context: NormalizeContext): Promise<Clip> => {
  let pictures = 0
  let end = 0
  for await (const packet of packetsOf(path, probed, [], context)) {
    if (!packet.hidden) pictures++
    if (packet.end > end) end = packet.end
  }
  const missing = shortfallOf(probed.declaredPicture, end) ?? cutOff(path)
  if (missing) context.partial(missing)
  return { pictures }
}

/** How many pictures the stretch has, when the first of them is shown, and whether their packets can be copied. */
const examine = async (
  path: string,
  probed: Probe,
  stretch: Stretch,
  tolerance: number,
  context: NormalizeContext,
): Promise<{ readonly pictures: number; readonly first: number; readonly clean: boolean }> => {
  const { codec, origin } = probed
  const from = leadOf(stretch, tolerance)
  const range = ["-ss", String(from), "-t", String(stretch.start - from + BEYOND)]
  const keys = await cleanKeys(path, probed, context, range)
  const place = newCut(stretch, tolerance)
  let pictures = 0
  let first = Number.POSITIVE_INFINITY
  let clean = true
  const interval = ["-read_intervals", `${from + origin}%${stretch.end + origin + BEYOND}`]
  for await (const packet of packetsOf(path, probed, interval, context)) {
    if (!packet.hidden && placeOf(packet.time, stretch, tolerance) === "in") {
      pictures++
      first = Math.min(first, packet.time)
    }
    const entry = () => (keys?.has(packet.stamp) ? "clean" : codec === "h264" ? "unclean" : "unknown")
    clean &&= place({ ...packet, entry }) !== "unclean"
  }
  return { pictures, first, clean }
}

/** See `clipOf`. */
export const cliClip = async (path: string, stretch: Stretch, context: NormalizeContext): Promise<Clip> => {
  const probed = await probe(path, context)
  const tolerance = toleranceOf(rateOf(probed))
  if (stretch.start <= tolerance && probed.declaredPicture < stretch.end + tolerance) {
    return wholeClip(path, probed, context)
  }
  const { pictures, first, clean } = await examine(path, probed, stretch, tolerance, context)
  if (pictures === 0) return { data: new Uint8Array(), pictures }

  const write = async (file: string, container: Container): Promise<void> => {
    const coding = clean
      ? ["-c", "copy", "-copypriorss", "0", ...hvc1(probed.codec, container)]
      : await encodingInto(container, "", context)
    // Pictures are counted: the clock by which `-t` stops may be that of decoding. It ends the sound.
    const length = ["-frames:v", String(pictures), "-t", String(stretch.end - first + tolerance)]
    const most = Number.isFinite(context.maxBytes) ? ["-fs", String(context.maxBytes)] : []
    const running = run(
      "ffmpeg",
      [
        ...["-ss", String(first - ROUNDING), ...inputOf(path)],
        ...["-map", `0:${probed.picture}`, "-map", "0:a?", "-map_metadata", "-1", "-map_chapters", "-1", ...coding],
        ...["-fflags", "+bitexact", "-strict", "-2", "-avoid_negative_ts", "disabled"],
        ...[...length, ...most, "-progress", "pipe:3", "-f", container, "-y", `file:${file}`],
      ],
      context,
    )
    try {
      await running.done()
    } finally {
      await running.stop()
    }
  }

  for (const container of containersFor(probed.format, path)) {
    const file = join(context.tempDir, `${randomUUID()}.${container}`)
    try {
      await write(file, container)
      if (statSync(file).size >= context.maxBytes) {
        throw new IngestError(
          `the stretch of the video has more than ${formatBytes(context.maxBytes)}, the most that is allowed`,
        )
      }
      return { data: takeBytes(file, Number.POSITIVE_INFINITY), pictures }
    } catch (error) {
      if (!(error instanceof ToolFailed)) throw error
      if (container === "matroska") {
        throw new IngestError(`ffmpeg could not cut the video: ${messageOf(error)}`, { cause: error })
      }
    } finally {
      rmSync(file, { force: true })
    }
  }
  return { data: new Uint8Array(), pictures: 0 }
}
