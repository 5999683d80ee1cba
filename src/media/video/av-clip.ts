/** Takes a stretch out of a video with the FFmpeg that node-av brings. Importing this module loads it. */
import * as av from "node-av/constants"
import { type Frame, Packet } from "node-av/lib"
import { IngestError } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { formatBytes } from "../../model/units.ts"
import { changesSettings, entryAt } from "./av-copy.ts"
import { newFrame, openDecoder } from "./av-decoder.ts"
import { type Encoder, openEncoder, THREADS } from "./av-encoder.ts"
import { type Input, openInput, type Reading, seconds } from "./av-input.ts"
import { newMuxing, type SegmentFile } from "./av-output.ts"
import { takeBytes } from "./files.ts"
import { newPace } from "./pace.ts"
import { type Clip, leadOf, newCut, placeOf, type Stretch, toleranceOf } from "./stretch.ts"

const NOTHING: Clip = { data: new Uint8Array(), pictures: 0 }

const rateOf = ({ video }: Input): number => {
  const { num, den } = video.stream.avgFrameRate
  return num > 0 && den > 0 ? num / den : 0
}

const decodedAt = ({ packet: { dts }, track }: Reading, origin: number): number =>
  dts === av.AV_NOPTS_VALUE ? Number.NaN : seconds(dts, track.base) - origin

/** Whether the video is nothing but the stretch. */
const isWhole = ({ video, origin }: Input, { start, end }: Stretch, tolerance: number): boolean => {
  if (start > tolerance) return false
  if (end === Number.POSITIVE_INFINITY) return true
  const { duration } = video.stream
  return duration > 0n && seconds(duration, video.base) - origin < end + tolerance
}

const countPictures = async (input: Input, context: NormalizeContext): Promise<number> => {
  const pace = newPace(context)
  let pictures = 0
  for (let reading = input.next(); reading; reading = input.next()) {
    if (pace.due()) await pace.pause()
    if (reading.track.kind === "video" && !reading.hidden) pictures++
    input.release(reading.packet)
  }
  return pictures
}

const bounded = (file: SegmentFile, { maxBytes }: NormalizeContext) => {
  let bytes = 0
  return (packet: Packet, track: Reading["track"]): void => {
    bytes += packet.size
    if (bytes > maxBytes) {
      throw new IngestError(`the stretch of the video has more than ${formatBytes(maxBytes)}, the most that is allowed`)
    }
    file.write(packet, track)
  }
}

/** The packets of the stretch as they are; undefined where they would not decode on their own. */
const copyClip = async (
  input: Input,
  path: string,
  stretch: Stretch,
  tolerance: number,
  context: NormalizeContext,
): Promise<Clip | undefined> => {
  const { tracks, origin } = input
  const file = newMuxing(input, path, context.tempDir).open(
    stretch.start,
    tracks.map((track) => ({ track, codec: track.codec })),
  )
  const write = bounded(file, context)
  const place = newCut(stretch, tolerance)
  const pace = newPace(context)
  let pictures = 0
  let complete = false

  const verdictOf = (reading: Reading) =>
    reading.key && changesSettings(reading)
      ? "unclean"
      : place({ ...reading, decoded: decodedAt(reading, origin), entry: () => entryAt(reading) })

  try {
    input.seek(leadOf(stretch, tolerance))
    for (let reading = input.next(); reading; reading = input.next()) {
      if (pace.due()) await pace.pause()
      if (reading.track.kind === "audio") {
        if (reading.time >= stretch.start && reading.time < stretch.end) write(reading.packet, reading.track)
        input.release(reading.packet)
        continue
      }
      const verdict = verdictOf(reading)
      if (verdict === "take") {
        write(reading.packet, reading.track)
        pictures++
      }
      input.release(reading.packet)
      if (verdict === "unclean") return undefined
      if (verdict === "end") break
    }
    if (pictures === 0) return NOTHING
    file.close()
    complete = true
    return { data: takeBytes(file.path, Number.POSITIVE_INFINITY), pictures }
  } finally {
    if (!complete) file.abandon()
  }
}

/** The pictures of the stretch, decoded and encoded again. */
const encodeClip = async (
  input: Input,
  path: string,
  stretch: Stretch,
  tolerance: number,
  context: NormalizeContext,
): Promise<Clip> => {
  const { video, tracks, origin } = input
  const muxing = newMuxing(input, path, context.tempDir)
  const decoder = openDecoder(video, THREADS)
  const pace = newPace(context)
  using frame = newFrame()
  using packet = new Packet()
  packet.alloc()
  let encoder: Encoder | undefined
  let file: SegmentFile | undefined
  let write: ReturnType<typeof bounded> | undefined
  let pictures = 0
  let complete = false
  let last: bigint | undefined
  const put = (encoded: Packet): void => write?.(encoded, video)

  const begin = (like: Frame): Encoder => {
    const made = openEncoder(muxing.container(), like, video, packet)
    const contents = tracks.map((track) => ({ track, codec: track === video ? made.codec : track.codec }))
    file = muxing.open(stretch.start, contents)
    write = bounded(file, context)
    return made
  }

  /** Encodes the picture where it is in the stretch; false when it comes after it. */
  const place = (picture: Frame): boolean => {
    const stamp = picture.bestEffortTimestamp
    const where = placeOf(seconds(stamp, video.base) - origin, stretch, tolerance)
    if (stamp === av.AV_NOPTS_VALUE || where === "before" || (last !== undefined && stamp <= last)) return true
    if (where === "after") return false
    last = stamp
    picture.pts = stamp
    encoder ??= begin(picture)
    encoder.encode(picture, put)
    pictures++
    return true
  }

  /** Decodes a packet, or what is left where there is none; false when the stretch is over. */
  const decode = (next: Packet | null): boolean => {
    decoder.sendPacketSync(next)
    while (decoder.receiveFrameSync(frame) >= 0) if (!place(frame)) return false
    return true
  }

  try {
    input.seek(leadOf(stretch, tolerance))
    let going = true
    while (going) {
      const reading = input.next()
      if (pace.due()) await pace.pause()
      if (!reading) {
        decode(null)
        break
      }
      if (reading.track.kind === "video") going = decode(reading.packet)
      else if (reading.time >= stretch.start && reading.time < stretch.end) write?.(reading.packet, reading.track)
      input.release(reading.packet)
    }
    if (!encoder || !file) return NOTHING
    encoder.encode(null, put)
    file.close()
    complete = true
    return { data: takeBytes(file.path, Number.POSITIVE_INFINITY), pictures }
  } finally {
    encoder?.close()
    decoder.freeContext()
    if (!complete) file?.abandon()
  }
}

/** See `clipOf`. */
export const avClip = async (path: string, stretch: Stretch, context: NormalizeContext): Promise<Clip> => {
  const input = await openInput(path)
  try {
    const tolerance = toleranceOf(rateOf(input))
    if (isWhole(input, stretch, tolerance)) {
      const pictures = await countPictures(input, context)
      const missing = input.shortfall()
      if (missing) context.partial(missing)
      return { pictures }
    }
    const copied = await copyClip(input, path, stretch, tolerance, context)
    if (copied) return copied
  } finally {
    input.close()
  }
  const again = await openInput(path)
  try {
    return await encodeClip(again, path, stretch, toleranceOf(rateOf(again)), context)
  } finally {
    again.close()
  }
}
