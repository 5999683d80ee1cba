/**
 * Segments by stream copy: the packets of the source as they are, cut at the first clean key frame on or after each
 * mark. Fast, and without loss. Where that cannot give segments that decode on their own, it stops at the last clean
 * cut and says so; the rest is re-encoded from there.
 */
import * as av from "node-av/constants"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import type { Pixels } from "../thumbnails.ts"
import type { Input, Reading, Track } from "./av-input.ts"
import type { Muxing } from "./av-output.ts"
import { newPictures } from "./av-picture.ts"
import { type Rest, Splitter } from "./av-splitter.ts"
import { type Entry, entryOf, framingOf } from "./entry.ts"
import { markAfter, reaches } from "./grid.ts"
import { newPace } from "./pace.ts"
import type { Segment } from "./segment.ts"

const FROM_THE_START: Rest = { start: 0, passOver: [] }

type Codec = Parameters<typeof entryOf>[0]

const codecOf = ({ codec }: Track): Codec =>
  codec.codecId === av.AV_CODEC_ID_H264 ? "h264" : codec.codecId === av.AV_CODEC_ID_HEVC ? "hevc" : "other"

/** Whether decoding can start at the packet, which is marked as a key frame. */
export const entryAt = ({ packet, track }: Reading): Entry => {
  const codec = codecOf(track)
  if (codec === "other") return "unknown"
  return entryOf(codec, packet.data ?? Buffer.alloc(0), framingOf(codec, track.codec.extradata))
}

/** Decoder settings that change within the stream stand in the header of one segment only: the others would not play. */
export const changesSettings = ({ packet, track }: Reading): boolean => {
  const settings = packet.getSideData(av.AV_PKT_DATA_NEW_EXTRADATA)
  return settings !== null && !settings.equals(track.codec.extradata ?? Buffer.alloc(0))
}

/** Yields segments of about `length` seconds; returns what it leaves to be re-encoded. */
export async function* copySegments(
  input: Input,
  muxing: Muxing,
  length: number,
  context: NormalizeContext,
): AsyncGenerator<Segment, Rest | undefined> {
  const { video, tracks } = input
  const contents = tracks.map((track) => ({ track, codec: track.codec }))
  const splitter = new Splitter(input, context.maxBytes)
  const pictures = newPictures(video)
  const pace = newPace(context)
  /** Time from which a key frame opens a segment; undefined before the first one. */
  let mark: number | undefined
  /** A key frame that is a cut if the next picture is not shown before it. */
  let held: Reading | undefined
  /** A key frame that is no cut was seen after the mark. */
  let missed = false
  /** Pictures before the first key frame, which nobody can decode. */
  let early = 0

  const thumbnail = (reading: Reading): Pixels | undefined => {
    try {
      return pictures.ofKeyFrame(reading.packet)
    } catch (error) {
      context.partial(`no thumbnail of the segment at ${reading.time.toFixed(1)} s: ${messageOf(error)}`)
      return undefined
    }
  }

  const cutAt = (reading: Reading): void => {
    // The first segment begins with the video: sound may come before the first picture.
    const start = mark === undefined ? 0 : reading.time
    splitter.begin(start, muxing.open(start, contents), thumbnail(reading))
    mark = markAfter(reading.time, length)
    missed = false
  }

  /** Writes a picture; false when copying cannot go on. */
  const pass = (reading: Reading): boolean => {
    splitter.picture(reading)
    return splitter.bytes <= context.maxBytes
  }

  /** Decides about the key frame that is held, now that the time of the next picture is known. */
  const settle = (next: number): boolean => {
    const key = held
    held = undefined
    if (!key) return true
    if (next > key.time) cutAt(key)
    else missed = true
    return pass(key)
  }

  const placeFirst = (reading: Reading): boolean => {
    if (reading.packet.getSideData(av.AV_PKT_DATA_ENCRYPTION_INFO)) {
      throw new IngestError("the video is encrypted (DRM): its pictures cannot be read without the key")
    }
    if (reading.key) {
      cutAt(reading)
      return pass(reading)
    }
    early++
    splitter.drop(reading)
    // A stream that is refreshed bit by bit may have no key frames at all; a decoder starts in it somewhere.
    return reading.time < length
  }

  /** Takes a picture; false when copying cannot go on. */
  const place = (reading: Reading): boolean => {
    if (Number.isNaN(reading.time) || !settle(reading.time)) return false
    if (mark === undefined) return placeFirst(reading)
    // Hidden pictures after the start are where an edit list joins pieces, the later ones between key frames.
    if ((reading.hidden && reading.time >= 0) || (reading.key && changesSettings(reading))) return false
    if (reading.key && !reading.hidden && reaches(reading.time, mark)) {
      const entry = entryAt(reading)
      if (entry === "unknown") {
        held = reading
        return true
      }
      if (entry === "clean") cutAt(reading)
      else missed = true
    }
    return !(missed && reaches(reading.time, mark + length)) && pass(reading)
  }

  try {
    let copied = true
    while (copied) {
      const reading = input.next()
      if (!reading) break
      if (pace.due()) await pace.pause()
      if (reading.track.kind === "audio") splitter.sound(reading)
      else copied = place(reading)
      for (let segment = splitter.take(); segment; segment = splitter.take()) yield segment
    }
    copied &&= settle(Number.POSITIVE_INFINITY) && !missed && mark !== undefined
    const rest = copied ? undefined : mark === undefined ? FROM_THE_START : splitter.giveUp()
    splitter.end()
    for (let segment = splitter.take(); segment; segment = splitter.take()) yield segment
    if (early > 0 && mark !== undefined) {
      context.partial(`${early} pictures before the first key frame were left out: they cannot be decoded`)
    }
    return rest
  } finally {
    splitter.abandon()
    pictures.close()
  }
}
