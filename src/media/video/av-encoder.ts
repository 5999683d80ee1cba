/** Encoders for segments that cannot be copied. */
import * as av from "node-av/constants"
import {
  avcodecFindBestPixFmtOfList,
  Codec,
  CodecContext,
  CodecParameters,
  type Frame,
  type Packet,
  SoftwareScaleContext,
} from "node-av/lib"
import { newFrame } from "./av-decoder.ts"
import { check, type Track } from "./av-input.ts"
import type { Container } from "./files.ts"

/** The pool works on as many videos as there are cores; two threads keep one core busy while the other waits. */
export const THREADS = 2

/**
 * Close to the source to the eye, at a speed that a long video can be waited for. x264's macroblock tree is off: on
 * processors with AVX-512 it makes small pictures come out differently in every run (x264 core 165, 160 and 320
 * pixels wide), and the same video has to give the same bytes.
 */
const SETTINGS = {
  h264: { name: av.FF_ENCODER_LIBX264, options: { preset: "veryfast", crf: "20", mbtree: "0" } },
  vp9: {
    name: av.FF_ENCODER_LIBVPX_VP9,
    options: { deadline: "realtime", "cpu-used": "6", crf: "24", b: "0", "row-mt": "1" },
  },
} as const

export interface Encoder {
  /** What a container has to know of its stream. */
  readonly codec: CodecParameters
  /** Encodes a frame whose `pts` and `duration` count in the track's time base; null for the end. */
  readonly encode: (frame: Frame | null, write: (packet: Packet) => void) => void
  readonly close: () => void
}

/** An encoder for pictures like this one, into a container of this kind. */
export const openEncoder = (container: Container, like: Frame, track: Track, packet: Packet): Encoder => {
  const { name, options } = container === "webm" ? SETTINGS.vp9 : SETTINGS.h264
  const found = Codec.findEncoderByName(name)
  check(found ? 0 : av.AVERROR_ENCODER_NOT_FOUND, `the video has to be encoded with ${name}`)
  const context = new CodecContext()
  context.allocContext3(found)
  // Halved colour planes need even sides.
  const width = Math.max(2, like.width & ~1)
  const height = Math.max(2, like.height & ~1)
  const pixelFormat = avcodecFindBestPixFmtOfList(found?.pixelFormats ?? [], like.format as typeof context.pixelFormat)
  context.width = width
  context.height = height
  context.pixelFormat = pixelFormat
  context.timeBase = track.base
  context.framerate = track.stream.avgFrameRate
  context.sampleAspectRatio = track.stream.sampleAspectRatio
  context.colorRange = like.colorRange
  context.colorPrimaries = like.colorPrimaries
  context.colorTrc = like.colorTrc
  context.colorSpace = like.colorSpace
  context.threadCount = THREADS
  context.setFlags(av.AV_CODEC_FLAG_GLOBAL_HEADER)
  for (const [option, value] of Object.entries(options)) check(context.setOption(option, value), `${name} ${option}`)
  check(context.open2Sync(found, null), `${name} could not be opened for ${width} x ${height} pixels`)

  const codec = new CodecParameters()
  codec.alloc()
  check(codec.fromContext(context), "encoder parameters")
  const matrix = track.codec.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX)
  if (matrix) check(codec.addCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX, matrix), "display matrix")

  const scaler = new SoftwareScaleContext()
  scaler.allocContext()
  const scaled = newFrame()
  /** The frame in the size and pixel format of the others; the frame itself where it has them. */
  const adapt = (frame: Frame): Frame => {
    if (frame.width === width && frame.height === height && frame.format === pixelFormat) return frame
    // New memory each time: the encoder may still hold the frame before.
    scaled.unref()
    scaled.width = width
    scaled.height = height
    scaled.format = pixelFormat
    check(scaled.getBuffer(0), "memory for a frame")
    check(scaler.scaleFrameSync(scaled, frame), "a frame could not be scaled")
    check(scaled.copyProps(frame), "frame properties")
    return scaled
  }

  return {
    codec,
    encode: (frame, write) => {
      const picture = frame && adapt(frame)
      // The source's kinds of frames are none of the encoder's business.
      if (picture) picture.pictType = av.AV_PICTURE_TYPE_NONE
      check(context.sendFrameSync(picture), "a frame could not be encoded")
      while (context.receivePacketSync(packet) >= 0) write(packet)
    },
    close: () => {
      context.freeContext()
      codec.free()
      scaled.free()
      scaler.freeContext()
    },
  }
}
