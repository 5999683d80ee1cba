/** A segment on its way to a file: packets go in with the source's clock and come out with one that starts at 0. */

import { randomUUID } from "node:crypto"
import { rmSync } from "node:fs"
import { join } from "node:path"
import * as av from "node-av/constants"
import { type CodecParameters, FFmpegError, FormatContext, type Packet, type Rational, type Stream } from "node-av/lib"
import { IngestError } from "../../model/errors.ts"
import { check, type Input, type Track, ticks } from "./av-input.ts"
import { type Container, containersFor } from "./files.ts"

/** What a segment holds of a track; in a re-encoded one the picture's codec is the encoder's. */
export interface Content {
  readonly track: Track
  readonly codec: CodecParameters
}

const HVCC_ARRAYS = 22

/** QuickTime and Safari play HEVC in MP4 only as `hvc1`, which wants the parameter sets in the header. */
const isHvc1 = (codec: CodecParameters, container: Container): boolean =>
  codec.codecId === av.AV_CODEC_ID_HEVC &&
  (container === "mp4" || container === "mov") &&
  (codec.extradata?.[HVCC_ARRAYS] ?? 0) > 0

export interface SegmentFile {
  readonly path: string
  /** Takes over the packet's data and leaves the packet blank. */
  readonly write: (packet: Packet, track: Track) => void
  /** Completes the file. */
  readonly close: () => void
  /** Gives it up. */
  readonly abandon: () => void
}

export interface Muxing {
  /** The container that segments are written to; known after the first one. */
  readonly container: () => Container
  /** @throws {IngestError} when no container takes the codecs. */
  readonly open: (start: number, contents: readonly Content[]) => SegmentFile
}

export const newMuxing = (input: Input, path: string, tempDir: string): Muxing => {
  let candidates = containersFor(input.format, path)
  const container = (): Container => candidates[0] ?? "matroska"
  return {
    container,
    open: (start, contents) => {
      for (;;) {
        const file = tryOpen(
          join(tempDir, `${randomUUID()}.${container()}`),
          container(),
          start + input.origin,
          contents,
        )
        if (typeof file !== "number") return file
        const [refused, ...others] = candidates
        if (others.length === 0) {
          throw new IngestError(
            `the video's codecs fit no container (tried ${refused} last): ${FFmpegError.strerror(file)}`,
          )
        }
        candidates = others
      }
    },
  }
}

interface Slot {
  readonly stream: Stream
  readonly index: number
  /** Of the stream, once the container has chosen it. */
  base: Rational
  readonly shift: bigint
  last: bigint
}

/** Damaged files step back in time, which no container takes. Returns the packet's decoding time. */
const forward = (packet: Packet, last: bigint): bigint => {
  const { dts } = packet
  if (dts > last) return dts
  packet.dts = last + 1n
  if (packet.pts < packet.dts) packet.pts = packet.dts
  return packet.dts
}

/** The open file, or FFmpeg's code when the container refuses what it should hold. */
const tryOpen = (
  path: string,
  container: Container,
  start: number,
  contents: readonly Content[],
): SegmentFile | number => {
  const context = new FormatContext()
  check(context.allocOutputContext2(null, container, path), `container ${container}`)
  // Without it, Matroska draws random identifiers: the same video would give other bytes in every run.
  context.setFlags(av.AVFMT_FLAG_BITEXACT)
  // What the source holds may be held again, also where a container's support for a codec is called experimental.
  context.strictStdCompliance = -2
  const slots = contents.map(({ track, codec }): Slot => {
    const stream = context.newStream(null)
    check(codec.copy(stream.codecpar), "stream parameters")
    stream.codecpar.codecTag = isHvc1(codec, container) ? "hvc1" : 0
    stream.timeBase = track.base
    stream.sampleAspectRatio = track.stream.sampleAspectRatio
    if (track.kind === "video") stream.avgFrameRate = track.stream.avgFrameRate
    const shift = ticks(start, track.base)
    return { stream, index: stream.index, base: track.base, shift, last: av.AV_NOPTS_VALUE }
  })
  check(context.openOutputSync(), `create ${path}`)
  const discard = (): void => {
    context.closeOutputSync()
    context.freeContext()
    rmSync(path, { force: true })
  }
  const code = context.writeHeaderSync()
  if (code < 0) {
    discard()
    return code
  }
  for (const slot of slots) slot.base = slot.stream.timeBase

  return {
    path,
    write: (packet, track) => {
      const slot = slots[track.slot]
      if (!slot) throw new RangeError(`no slot ${track.slot}`)
      const decoding = packet.dts
      packet.pts -= slot.shift
      if (decoding !== av.AV_NOPTS_VALUE) packet.dts = decoding - slot.shift
      packet.streamIndex = slot.index
      packet.rescaleTs(track.base, slot.base)
      // Matroska leaves out the first ones in a stream with B-frames; FFmpeg fills them in from the presentation times.
      if (decoding !== av.AV_NOPTS_VALUE) slot.last = forward(packet, slot.last)
      check(context.interleavedWriteFrameSync(packet), "a segment could not be written")
    },
    close: () => {
      check(context.writeTrailerSync(), "a segment could not be completed")
      context.closeOutputSync()
      context.freeContext()
    },
    abandon: discard,
  }
}
