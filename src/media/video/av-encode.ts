/**
 * Segments by decoding and encoding again: for streams that cannot be cut as they are. Every picture of the source is
 * encoded once, cuts stand exactly on the marks, and the sound is copied.
 */
import * as av from "node-av/constants"
import { type Frame, Packet } from "node-av/lib"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { newFrame, openDecoder } from "./av-decoder.ts"
import { type Encoder, openEncoder, THREADS } from "./av-encoder.ts"
import { type Input, type Reading, seconds, ticks } from "./av-input.ts"
import type { Muxing } from "./av-output.ts"
import { newPictures } from "./av-picture.ts"
import { type Rest, Splitter } from "./av-splitter.ts"
import { markAfter, reaches } from "./grid.ts"
import { newPace } from "./pace.ts"
import type { Segment } from "./segment.ts"

/** More pictures than any decoder holds back: beyond it, some packets gave none, and their times are passed over. */
const MAX_DELAY = 32

/** Yields the segments of what is left of a video; `input` has passed over what came before. */
export async function* encodeSegments(
  input: Input,
  muxing: Muxing,
  length: number,
  rest: Rest,
  context: NormalizeContext,
): AsyncGenerator<Segment> {
  const { video, tracks, origin } = input
  const { base } = video
  const { num, den } = video.stream.avgFrameRate
  const frameTicks = num > 0 && den > 0 ? ticks(den / num, base) || 1n : 1n
  const splitter = new Splitter(input, context.maxBytes)
  const pictures = newPictures(video)
  const decoder = openDecoder(video, THREADS)
  const pace = newPace(context)
  using frame = newFrame()
  using packet = new Packet()
  packet.alloc()
  let encoder: Encoder | undefined
  let mark: number | undefined
  /** Decoding times of packets whose pictures have not come out yet. */
  const pending: bigint[] = []
  let unstamped = false
  let last: bigint | undefined
  let undecodable = 0

  const write = (encoded: Packet): void => splitter.write(encoded, video)

  const finish = (): void => {
    encoder?.encode(null, write)
    encoder?.close()
    encoder = undefined
  }

  /** Opens a segment, with an encoder of its own: what one holds back must not cross the cut. */
  const begin = (start: number): void => {
    finish()
    encoder = openEncoder(muxing.container(), frame, video, packet)
    const { codec } = encoder
    const contents = tracks.map((track) => ({ track, codec: track === video ? codec : track.codec }))
    splitter.begin(start, muxing.open(start, contents), pictures.ofFrame(frame))
  }

  /**
   * When a picture is shown. AVI has no such times: there the pictures, as they come out of the decoder, take the
   * times of the packets in the order in which those went in.
   */
  const stampOf = ({ bestEffortTimestamp }: Frame): bigint => {
    const next = (last ?? -frameTicks) + frameTicks
    const decoding = pending.shift() ?? next
    const stamp = unstamped ? decoding : bestEffortTimestamp === av.AV_NOPTS_VALUE ? next : bestEffortTimestamp
    return last !== undefined && stamp <= last ? last + 1n : stamp
  }

  const place = (picture: Frame): void => {
    const stamp = stampOf(picture)
    last = stamp
    picture.pts = stamp
    const duration = unstamped || picture.duration <= 0n ? frameTicks : picture.duration
    picture.duration = duration
    const time = seconds(stamp, base) - origin
    const end = time + seconds(duration, base)
    if (mark === undefined || reaches(time, mark)) {
      begin(mark === undefined ? rest.start : time)
      mark = markAfter(time, length)
    }
    splitter.reach(time, end)
    encoder?.encode(picture, write)
  }

  const decode = (reading: Reading | undefined): void => {
    const { dts } = reading?.packet ?? { dts: av.AV_NOPTS_VALUE }
    if (decoder.sendPacketSync(reading?.packet ?? null) < 0) undecodable++
    else if (dts !== av.AV_NOPTS_VALUE && pending.push(dts) > MAX_DELAY) pending.shift()
    if (reading) {
      unstamped ||= Number.isNaN(reading.time)
      input.release(reading.packet)
    }
    while (decoder.receiveFrameSync(frame) >= 0) place(frame)
  }

  try {
    for (let reading = input.next(); reading; reading = input.next()) {
      if (pace.due()) await pace.pause()
      if (reading.track.kind === "audio") splitter.sound(reading)
      else decode(reading)
      for (let segment = splitter.take(); segment; segment = splitter.take()) yield segment
    }
    decode(undefined)
    finish()
    splitter.end()
    for (let segment = splitter.take(); segment; segment = splitter.take()) yield segment
    if (undecodable > 0) context.partial(`${undecodable} packets of the video could not be decoded`)
  } finally {
    splitter.abandon()
    encoder?.close()
    decoder.freeContext()
    pictures.close()
  }
}
