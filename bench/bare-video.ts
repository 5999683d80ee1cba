/** Segments of a video by node-av with nothing around it: what the video normalizer is compared with. */
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import * as av from "node-av/constants"
import {
  Codec,
  CodecContext,
  FFmpegError,
  FormatContext,
  Frame,
  Packet,
  SoftwareScaleContext,
  type Stream,
} from "node-av/lib"
import sharp from "sharp"

const SEGMENT = 10

const ok = (code: number): void => FFmpegError.throwIfError(code)

const secondsOf = (stream: Stream, ticks: bigint): number => (Number(ticks) * stream.timeBase.num) / stream.timeBase.den

const thumbnail = async (packet: Packet, stream: Stream): Promise<void> => {
  const codec = Codec.findDecoder(stream.codecpar.codecId)
  if (!codec) throw new Error("no decoder")
  const decoder = new CodecContext()
  decoder.allocContext3(codec)
  decoder.parametersToContext(stream.codecpar)
  ok(decoder.open2Sync(codec, null))
  ok(decoder.sendPacketSync(packet))
  decoder.sendPacketSync(null)
  const frame = new Frame()
  frame.alloc()
  ok(decoder.receiveFrameSync(frame))
  const small = new Frame()
  small.alloc()
  small.width = 256
  small.height = 144
  small.format = av.AV_PIX_FMT_RGB24
  ok(small.getBuffer(1))
  const scale = new SoftwareScaleContext()
  scale.getContext(
    frame.width,
    frame.height,
    frame.format as av.AVPixelFormat,
    256,
    144,
    av.AV_PIX_FMT_RGB24,
    av.SWS_BICUBIC,
  )
  ok(scale.scaleFrameSync(small, frame))
  await sharp(small.toBuffer(), { raw: { width: 256, height: 144, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer()
  frame.free()
  small.free()
  decoder.freeContext()
}

/** Cuts at the first key frame on or after each mark; audio stays where it is read. Each segment is read back once. */
export const segmentBare = async (path: string, folder: string): Promise<void> => {
  const input = new FormatContext()
  ok(input.openInputSync(path))
  ok(input.findStreamInfoSync())
  const video = input.findBestStream(av.AVMEDIA_TYPE_VIDEO)
  const streams = input.streams
  const packet = new Packet()
  packet.alloc()
  let output: FormatContext | undefined
  let target = ""
  let mark = 0
  let offset = 0
  const close = async (): Promise<void> => {
    if (!output) return
    ok(output.writeTrailerSync())
    output.closeOutputSync()
    output.freeContext()
    await readFile(target)
    await rm(target)
  }
  while (input.readFrameSync(packet) >= 0) {
    const stream = streams[packet.streamIndex]
    if (!stream) continue
    const time = secondsOf(stream, packet.pts)
    if (packet.streamIndex === video && packet.isKeyframe && time >= mark - 1e-3) {
      await close()
      offset = time
      mark = (Math.floor(time / SEGMENT) + 1) * SEGMENT
      target = join(folder, `segment-${time}.mp4`)
      output = new FormatContext()
      ok(output.allocOutputContext2(null, "mp4", target))
      for (const from of streams) {
        const to = output.newStream(null)
        ok(from.codecpar.copy(to.codecpar))
        to.codecpar.codecTag = 0
        to.timeBase = from.timeBase
      }
      ok(output.openOutputSync())
      ok(output.writeHeaderSync())
      await thumbnail(packet, stream)
    }
    const to = output?.streams[packet.streamIndex]
    if (output && to) {
      const shift = BigInt(Math.round((offset * stream.timeBase.den) / stream.timeBase.num))
      packet.pts -= shift
      packet.dts -= shift
      packet.rescaleTs(stream.timeBase, to.timeBase)
      packet.pos = -1n
      ok(output.interleavedWriteFrameSync(packet))
    }
    packet.unref()
  }
  await close()
  packet.free()
  await input.closeInput()
}
