/**
 * A video file, opened for reading through FFmpeg: the picture, all tracks of sound, and their packets in file order.
 * Packets are lent from a pool: whoever has written or decoded one gives it back with `release`.
 */
import * as av from "node-av/constants"
import {
  type CodecParameters,
  Dictionary,
  FFmpegError,
  FormatContext,
  Log,
  Packet,
  type Rational,
  type Stream,
} from "node-av/lib"
import { IngestError } from "../../model/errors.ts"
import { checkFrameSize, checkSamples, DEMUXERS, MAX_STREAMS, PROTOCOLS } from "./limits.ts"
import { shortfallOf } from "./shortfall.ts"
import { cutOff } from "./structure.ts"
import { unreadable } from "./unreadable.ts"

// FFmpeg writes its complaints about damaged files to standard error otherwise; ours reach the user as messages.
Log.setLevel(av.AV_LOG_QUIET)

export interface Track {
  /** Position among the tracks that are kept; the picture is 0. */
  readonly slot: number
  readonly kind: "video" | "audio"
  readonly stream: Stream
  readonly codec: CodecParameters
  readonly base: Rational
}

/** A packet and where it stands. */
export interface Reading {
  readonly packet: Packet
  readonly track: Track
  readonly key: boolean
  /** Only decoded, never shown: what an edit list cuts away. */
  readonly hidden: boolean
  /** Seconds on the file's clock at which it is shown; NaN where the file does not say. */
  readonly time: number
  /** Seconds at which it ends. */
  readonly end: number
}

export interface Input {
  /** FFmpeg's name of the container. */
  readonly format: string
  readonly video: Track
  /** The picture, then the tracks of sound. */
  readonly tracks: readonly Track[]
  /** Seconds between the zero of the tracks' clocks and the file's start. */
  readonly origin: number
  /** The next packet; undefined at the end of what can be read. */
  readonly next: () => Reading | undefined
  readonly release: (packet: Packet) => void
  /** Goes to the last key frame that is decoded at or before `time` (seconds), or stays where that is not known. */
  readonly seek: (time: number) => void
  /** After the last packet: what is missing of the video that the header declares, in words. */
  readonly shortfall: () => string | undefined
  readonly close: () => void
}

export const check = (code: number, what: string): number => {
  if (code < 0) throw new IngestError(`${what}: ${FFmpegError.strerror(code)}`)
  return code
}

export const seconds = (ticks: bigint, base: Rational): number => (Number(ticks) * base.num) / base.den

export const ticks = (time: number, base: Rational): bigint => BigInt(Math.round((time * base.den) / base.num))

const known = (ticks: bigint): boolean => ticks !== av.AV_NOPTS_VALUE

const isCover = (stream: Stream): boolean => (stream.disposition & av.AV_DISPOSITION_ATTACHED_PIC) !== 0

/** The picture that a player would show: FFmpeg's choice, unless that is a cover. */
const pictureOf = (context: FormatContext, streams: readonly Stream[]): Stream => {
  const best = streams[context.findBestStream(av.AVMEDIA_TYPE_VIDEO)]
  const found =
    best && !isCover(best) ? best : streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO && !isCover(s))
  if (found) return found
  const kinds = streams.map((s) =>
    s.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO ? "sound" : isCover(s) ? "a cover" : "data",
  )
  throw new IngestError(
    `expected a video, found a file without a video stream (it has: ${kinds.join(", ") || "no streams"})`,
  )
}

/** Seconds that the file's header declares: of the picture where it says so, and of the whole. */
const declaredSeconds = (
  context: FormatContext,
  { duration, nbFrames, timeBase }: Stream,
): { readonly picture?: number; readonly whole?: number } => {
  // Of an AVI file that was cut off, FFmpeg corrects the duration; the number of frames is still the declared one.
  const declared = context.iformat?.name === "avi" && nbFrames > duration ? nbFrames : duration
  return {
    ...(known(declared) && declared > 0n && { picture: seconds(declared, timeBase) }),
    ...(known(context.duration) && context.duration > 0n && { whole: Number(context.duration) / 1e6 }),
  }
}

/**
 * Opens a video. `passOver` says how many packets of each kept track (by slot) are read and dropped first.
 *
 * @throws {IngestError} when it cannot be opened, has no picture, or asks for too much.
 */
export const openInput = async (path: string, passOver: readonly number[] = []): Promise<Input> => {
  checkSamples(path)
  const context = new FormatContext()
  const limits = { protocol_whitelist: PROTOCOLS, format_whitelist: DEMUXERS, max_streams: MAX_STREAMS }
  // The prefix keeps a name such as "concat:a.mp4" a name.
  const opened = context.openInputSync(`file:${path}`, null, Dictionary.fromObject(limits))
  if (opened < 0) throw unreadable(path, FFmpegError.strerror(opened))
  try {
    // Before anything is decoded to find out more; and what is found out later may be a guess.
    const headers = context.streams
    for (const { codecpar } of headers) checkFrameSize(codecpar.width, codecpar.height)
    const durations = new Map(headers.map((stream) => [stream.index, declaredSeconds(context, stream)]))
    // Without options: node-av hands one dictionary to a call that wants one a stream. FFmpeg itself refuses to decode
    // frames of 2^28 pixels and more, here as well.
    const probed = context.findStreamInfoSync()
    if (probed < 0) throw unreadable(path, FFmpegError.strerror(probed))
    return reading(context, durations, cutOff(path), passOver)
  } catch (error) {
    context.closeInputSync()
    throw error
  }
}

const reading = (
  context: FormatContext,
  durations: ReadonlyMap<number, ReturnType<typeof declaredSeconds>>,
  cut: string | undefined,
  passOver: readonly number[],
): Input => {
  const streams = context.streams
  const picture = pictureOf(context, streams)
  checkFrameSize(picture.codecpar.width, picture.codecpar.height)
  const sounds = streams.filter(
    ({ codecpar }) => codecpar.codecType === av.AVMEDIA_TYPE_AUDIO && codecpar.codecId !== av.AV_CODEC_ID_NONE,
  )
  // Subtitles are not kept, but where the header declares one duration for all, they may be what lasts longest.
  const read = new Set([
    picture,
    ...sounds,
    ...streams.filter((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_SUBTITLE),
  ])
  for (const stream of streams) if (!read.has(stream)) stream.discard = av.AVDISCARD_ALL
  const tracks = [picture, ...sounds].map(
    (stream, slot): Track => ({
      slot,
      kind: slot === 0 ? "video" : "audio",
      stream,
      codec: stream.codecpar,
      base: stream.timeBase,
    }),
  )
  const [video] = tracks
  if (!video) throw new RangeError("the picture is always a track")
  const byStream = new Map(tracks.map((track) => [track.stream.index, track]))
  const rate = picture.avgFrameRate
  const frameSeconds = rate.num > 0 && rate.den > 0 ? rate.den / rate.num : 0
  // A start before zero is the run-in of an audio codec, which players skip.
  const origin = known(context.startTime) ? Math.max(0, Number(context.startTime) / 1e6) : 0

  const pool: Packet[] = []
  const passed = tracks.map(() => 0)
  const ends = tracks.map(() => 0)
  let subtitlesEnd = 0
  let pictureStart = Number.POSITIVE_INFINITY
  let damaged = 0
  let failure: string | undefined

  const take = (packet: Packet, track: Track): Reading | undefined => {
    const { flags, size } = packet
    if ((flags & av.AV_PKT_FLAG_CORRUPT) !== 0) damaged++
    // AVI writes empty packets where a frame is repeated; to a decoder they would mean the end.
    if (size === 0 || (flags & av.AV_PKT_FLAG_CORRUPT) !== 0) return undefined
    const { slot, base } = track
    const { pts, dts, duration } = packet
    const sound = slot > 0
    const reached = ends[slot] ?? 0
    const stamp = known(pts) ? pts : dts
    const start = known(stamp) ? seconds(stamp, base) - origin : reached
    const end = start + (duration > 0n ? seconds(duration, base) : sound ? 0 : frameSeconds)
    if (end > reached) ends[slot] = end
    if (!sound && start < pictureStart) pictureStart = start
    const count = passed[slot] ?? 0
    passed[slot] = count + 1
    if (count < (passOver[slot] ?? 0)) return undefined
    // Sound without timestamps follows on what came before; a picture without them has to be decoded to be placed.
    if (sound && !(known(pts) && known(dts))) packet.pts = packet.dts = ticks(start + origin, base)
    return {
      packet,
      track,
      key: (flags & av.AV_PKT_FLAG_KEY) !== 0,
      hidden: (flags & av.AV_PKT_FLAG_DISCARD) !== 0,
      time: sound || known(pts) ? start : Number.NaN,
      end,
    }
  }

  const release = (packet: Packet): void => {
    packet.unref()
    pool.push(packet)
  }

  return {
    format: context.iformat?.name ?? "",
    video,
    tracks,
    origin,
    next: () => {
      let packet = pool.pop()
      if (!packet) {
        packet = new Packet()
        packet.alloc()
      }
      for (;;) {
        const code = context.readFrameSync(packet)
        if (code < 0) {
          if (code !== av.AVERROR_EOF) failure = FFmpegError.strerror(code)
          pool.push(packet)
          return undefined
        }
        const track = byStream.get(packet.streamIndex)
        const result = track && take(packet, track)
        if (result) return result
        const base = track ? undefined : streams[packet.streamIndex]?.timeBase
        if (base && known(packet.pts)) {
          subtitlesEnd = Math.max(subtitlesEnd, seconds(packet.pts + packet.duration, base) - origin)
        }
        packet.unref()
      }
    },
    release,
    seek: (time) => {
      // Where an index is missing or damaged, the packets before `time` are read instead.
      context.seekFrameSync(picture.index, ticks(Math.max(0, time) + origin, video.base), av.AVSEEK_FLAG_BACKWARD)
    },
    shortfall: () => {
      const declared = durations.get(picture.index) ?? {}
      const pictureRead = (ends[0] ?? 0) - (Number.isFinite(pictureStart) ? pictureStart : 0)
      const wholeRead = Math.max(subtitlesEnd, ...ends) + origin
      const missing =
        declared.picture === undefined
          ? shortfallOf(declared.whole ?? 0, wholeRead)
          : shortfallOf(declared.picture, pictureRead)
      if (missing ?? cut) return missing ?? cut
      if (failure) return `the video could not be read to its end, after ${wholeRead.toFixed(1)} s: ${failure}`
      return damaged > 0 ? `damaged packets of the video were left out: ${damaged}` : undefined
    },
    close: () => {
      for (const packet of pool) packet.free()
      context.closeInputSync()
    },
  }
}
