/** Small upright pictures of a video's frames: what thumbnails are made from. */
import * as av from "node-av/constants"
import { type CodecContext, type Frame, type Packet, SoftwareScaleContext } from "node-av/lib"
import type { Pixels } from "../thumbnails.ts"
import { newFrame, openDecoder } from "./av-decoder.ts"
import { check, type Track } from "./av-input.ts"
import { orientationOf, upright } from "./display.ts"

/** Thumbnails are no larger; more pixels would only be copied around. */
const LARGEST = 256

export interface Pictures {
  /** Decodes a key frame. @throws {IngestError} when it does not decode. */
  readonly ofKeyFrame: (packet: Packet) => Pixels
  readonly ofFrame: (frame: Frame) => Pixels
  readonly close: () => void
}

export const newPictures = (track: Track): Pictures => {
  let decoder: CodecContext | undefined
  const decoded = newFrame()
  const scaler = new SoftwareScaleContext()
  scaler.allocContext()
  const orientation = orientationOf(track.codec.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX))

  const ofFrame = (frame: Frame): Pixels => {
    const { num, den } = track.stream.sampleAspectRatio
    const shownWidth = num > 0 && den > 0 ? (frame.width * num) / den : frame.width
    const scale = Math.min(1, LARGEST / Math.max(shownWidth, frame.height))
    using small = newFrame()
    small.width = Math.min(LARGEST, Math.max(1, Math.round(shownWidth * scale)))
    small.height = Math.max(1, Math.round(frame.height * scale))
    small.format = av.AV_PIX_FMT_RGB24
    small.colorSpace = av.AVCOL_SPC_RGB
    small.colorRange = av.AVCOL_RANGE_JPEG
    check(small.getBuffer(1), "memory for a thumbnail")
    check(scaler.scaleFrameSync(small, frame), "a thumbnail could not be scaled")
    return upright({ data: small.toBuffer(), width: small.width, height: small.height, channels: 3 }, orientation)
  }

  return {
    ofFrame,
    ofKeyFrame: (packet) => {
      decoder ??= openDecoder(track, 1)
      using key = packet.clone()
      if (!key) throw new RangeError("a key frame has data")
      // A key frame before the start of an edit is decoded but not shown; as a thumbnail it serves.
      key.clearFlags(av.AV_PKT_FLAG_DISCARD)
      try {
        check(decoder.sendPacketSync(key), "a key frame does not decode")
        decoder.sendPacketSync(null)
        check(decoder.receiveFrameSync(decoded), "a key frame does not decode")
        return ofFrame(decoded)
      } finally {
        decoded.unref()
        decoder.flushBuffers()
      }
    },
    close: () => {
      decoder?.freeContext()
      decoded.free()
      scaler.freeContext()
    },
  }
}
