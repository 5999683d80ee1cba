/** Reads through a video with `ffprobe` and decides where it is cut, before `ffmpeg` cuts it. */

import { IngestError } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { bytesOf, inputOf, linesOf, ToolFailed } from "./cli-process.ts"
import { markAfter, reaches } from "./grid.ts"
import { checkFrameSize, checkSamples, MAX_STREAMS } from "./limits.ts"
import { newPace } from "./pace.ts"
import { shortfallOf } from "./shortfall.ts"
import { cutOff } from "./structure.ts"
import { unreadable } from "./unreadable.ts"

export interface Probe {
  /** FFmpeg's name of the container. */
  readonly format: string
  readonly codec: string
  /** Index of the picture's stream. */
  readonly picture: number
  /** Seconds between the zero of the streams' clocks and the file's start, as FFmpeg's programs count. */
  readonly origin: number
  /** Frames a second, as FFmpeg writes it: `30000/1001`. */
  readonly rate: string
  /** Declared seconds of the picture and of the whole; 0 where nothing is declared. */
  readonly declaredPicture: number
  readonly declaredWhole: number
}

export interface Plan {
  /** Pictures, counted in file order from the first key frame, that open the second segment and those after it. */
  readonly cuts: readonly number[]
  /** Set where the video cannot be cut between packets. */
  readonly reencode: boolean
  /** Set where the pictures have no times. */
  readonly unstamped: boolean
  /** What is missing of the video, in words. */
  readonly shortfall: string | undefined
}

interface ProbedStream {
  readonly index: number
  readonly codec_type?: string
  readonly codec_name?: string
  readonly width?: number
  readonly height?: number
  readonly duration?: string
  readonly nb_frames?: string
  readonly avg_frame_rate?: string
  readonly disposition?: { readonly attached_pic?: number }
}

interface Probed {
  readonly streams?: readonly ProbedStream[]
  readonly format?: { readonly format_name?: string; readonly start_time?: string; readonly duration?: string }
}

/** @throws {IngestError} when the file cannot be opened, has no picture, or asks for too much. */
export const probe = async (path: string, context: NormalizeContext): Promise<Probe> => {
  checkSamples(path)
  const args = ["-show_format", "-show_streams", "-of", "json", "-max_streams", String(MAX_STREAMS), ...inputOf(path)]
  const answer = await bytesOf("ffprobe", args, context).catch((error: unknown) => {
    throw error instanceof ToolFailed ? unreadable(path, error.message.replace(`file:${path}: `, "")) : error
  })
  const { streams = [], format = {} } = JSON.parse(answer.toString("utf8")) as Probed
  const picture = streams.find((stream) => stream.codec_type === "video" && stream.disposition?.attached_pic !== 1)
  if (!picture) {
    const kinds = streams.map(({ codec_type }) => codec_type ?? "data").join(", ")
    throw new IngestError(`expected a video, found a file without a video stream (it has: ${kinds || "no streams"})`)
  }
  checkFrameSize(picture.width ?? 0, picture.height ?? 0)
  const { avg_frame_rate: rate = "0/0", nb_frames = "0" } = picture
  const [frames = 0, per = 0] = rate.split("/").map(Number)
  // Of an AVI file that was cut off, FFmpeg corrects the duration; the number of frames is still the declared one.
  const counted = format.format_name === "avi" && frames > 0 ? (Number(nb_frames) * per) / frames : 0
  return {
    format: format.format_name ?? "",
    codec: picture.codec_name ?? "",
    picture: picture.index,
    rate,
    origin: Number(format.start_time ?? 0) || 0,
    declaredPicture: counted || Number(picture.duration ?? 0) || 0,
    declaredWhole: Number(format.duration ?? 0) || 0,
  }
}

/** NAL unit types of pictures at which decoding can always start: ITU-T H.264 table 7-1, ITU-T H.265 table 7-1. */
const CLEAN_UNITS: Readonly<Record<string, string>> = { h264: "5", hevc: "16-20" }

/**
 * Timestamps (in ticks) of the key frames that are clean by themselves; undefined for codecs where nothing tells.
 * `range` are arguments that say where to look.
 */
export const cleanKeys = async (
  path: string,
  { codec, picture }: Probe,
  context: NormalizeContext,
  range: readonly string[] = [],
): Promise<Set<string> | undefined> => {
  const units = CLEAN_UNITS[codec]
  if (units === undefined) return undefined
  const args = [
    ...["-copyts", ...range, ...inputOf(path), "-map", `0:${picture}`, "-c", "copy"],
    ...["-bsf:v", `filter_units=pass_types=${units}`, "-f", "framecrc", "-progress", "pipe:3", "pipe:1"],
  ]
  const keys = new Set<string>()
  for await (const line of linesOf("ffmpeg", args, context)) {
    const pts = line.startsWith("#") ? undefined : line.split(",")[2]
    if (pts !== undefined) keys.add(pts.trim())
  }
  return keys
}

interface Picture {
  readonly index: number
  readonly time: number
  readonly stamp: string
}

/** Cuts at the first clean key frame on or after each mark, as the stream copy through node-av does. */
export const plan = async (path: string, probed: Probe, length: number, context: NormalizeContext): Promise<Plan> => {
  const { codec, origin, picture } = probed
  const clean = await cleanKeys(path, probed, context)
  const pace = newPace(context)
  const cuts: number[] = []
  let index = -1
  let mark: number | undefined
  let held: Picture | undefined
  let missed = false
  let reencode = false
  let unstamped = false
  let first = Number.POSITIVE_INFINITY
  let pictureEnd = 0
  let wholeEnd = 0

  const cutAt = (key: Picture): void => {
    cuts.push(key.index)
    mark = markAfter(key.time, length)
    missed = false
  }
  const settle = (next: number): void => {
    if (held && next > held.time) cutAt(held)
    else if (held) missed = true
    held = undefined
  }

  const place = (stamp: string, time: number, flags: string): void => {
    settle(time)
    if (mark === undefined) {
      if (flags.startsWith("K")) {
        index = 0
        mark = markAfter(time, length)
      }
      return
    }
    index++
    const hidden = flags.includes("D")
    if (hidden && time >= 0) reencode = true
    if (flags.startsWith("K") && !hidden && reaches(time, mark)) {
      const key = { index, time, stamp }
      if (clean?.has(stamp)) cutAt(key)
      else if (codec === "h264") missed = true
      else held = key
    }
    if (missed && reaches(time, mark + length)) reencode = true
  }

  const entries = "packet=stream_index,pts,pts_time,dts_time,duration_time,flags"
  for await (const line of linesOf(
    "ffprobe",
    ["-show_entries", entries, "-of", "compact=p=0", ...inputOf(path)],
    context,
  )) {
    if (pace.due()) await pace.pause()
    const fields: Record<string, string> = Object.fromEntries(line.split("|").map((field) => field.split("=", 2)))
    const { stream_index, pts = "", pts_time = "", dts_time = "", duration_time = "", flags = "" } = fields
    const start = pts_time === "N/A" ? Number(dts_time) : Number(pts_time)
    const end = start + (Number(duration_time) || 0)
    if (end > wholeEnd) wholeEnd = end
    if (Number(stream_index) !== picture) continue
    if (start < first) first = start
    if (end > pictureEnd) pictureEnd = end
    if (pts_time === "N/A") unstamped = true
    else place(pts, start - origin, flags)
  }
  settle(Number.POSITIVE_INFINITY)
  const { declaredPicture, declaredWhole } = probed
  return {
    cuts,
    reencode: reencode || unstamped || missed || mark === undefined,
    unstamped,
    shortfall:
      (declaredPicture
        ? shortfallOf(declaredPicture, Math.max(0, pictureEnd - first))
        : shortfallOf(declaredWhole, wholeEnd)) ?? cutOff(path),
  }
}
