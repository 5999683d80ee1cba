/** Decoders, and the frames that they fill. */
import * as av from "node-av/constants"
import { avGetCodecName, Codec, CodecContext, Frame } from "node-av/lib"
import { check, type Track } from "./av-input.ts"
import { MAX_PIXELS } from "./limits.ts"

export const newFrame = (): Frame => {
  const frame = new Frame()
  frame.alloc()
  return frame
}

/** @throws {IngestError} when this build has no decoder for the track. */
export const openDecoder = (track: Track, threads: number): CodecContext => {
  const codec = Codec.findDecoder(track.codec.codecId)
  const name = avGetCodecName(track.codec.codecId)
  check(codec ? 0 : av.AVERROR_DECODER_NOT_FOUND, `the video's codec (${name ?? "unknown"}) cannot be decoded`)
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  check(decoder.parametersToContext(track.codec), "decoder parameters")
  decoder.pktTimebase = track.base
  decoder.threadCount = threads
  check(decoder.setOption("max_pixels", MAX_PIXELS), "decoder limits")
  check(decoder.open2Sync(codec, null), "the video's decoder could not be opened")
  return decoder
}
