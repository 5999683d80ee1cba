import { readdirSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { avSegments } from "../../../src/media/video/av-segments.ts"
import { cliSegments } from "../../../src/media/video/cli-segments.ts"
import type { Segment } from "../../../src/media/video/segment.ts"
import { IngestError } from "../../../src/model/errors.ts"
import type { VideoOptions } from "../../fixtures/video.ts"
import { ffmpegInstalled, videoRoom } from "../../fixtures/video-room.ts"

const installed = ffmpegInstalled("segments without node-av")
const { dir, tempDir, context, partial, record, decode } = await videoRoom()

const collect = async (segments: AsyncIterable<Segment>): Promise<readonly Segment[]> => {
  partial.length = 0
  const all: Segment[] = []
  for await (const segment of segments) all.push(segment)
  expect(readdirSync(tempDir)).toEqual([])
  return all
}

const cases: readonly (readonly [string, VideoOptions, boolean])[] = [
  ["plain.mp4", { bFrames: 2 }, true],
  ["clock.mkv", { startAt: 100 }, true],
  ["vp9.webm", {}, true],
  ["one.mp4", { seconds: 8, audioCodec: false }, true],
  ["turned.mp4", { rotation: 90 }, true],
  ["open-gop.mp4", { openGop: true }, false],
  ["open-gop-hevc.mp4", { openGop: true, videoCodec: "libx265" }, false],
  ["no-times.avi", { bFrames: 2 }, false],
]

describe.skipIf(!installed)("segments through the programs ffmpeg and ffprobe", () => {
  it.each(cases)("are those made through node-av: %s", async (name, options, copied) => {
    const { path, frames, audioPackets } = record(name, options)
    const reference = await collect(avSegments(path, 10, context))
    const segments = await collect(cliSegments(path, 10, context))
    expect(partial).toEqual([])
    const near = (time: number) => expect.toSatisfy((found: number) => Math.abs(found - time) < 0.03)
    expect(segments.map(({ start }) => start)).toEqual(reference.map(({ start }) => near(start)))
    expect(segments.map(({ end }) => end)).toEqual(reference.map(({ end }) => near(end)))

    const decoded = segments.map(({ data }) => decode(data))
    expect(decoded.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: frames }, (_, i) => i))
    expect(decoded.map(({ errors }) => errors)).toEqual(segments.map(() => 0))
    expect(decoded.reduce((sum, segment) => sum + segment.audioPackets, 0)).toBe(audioPackets)
    const expected = reference.map(({ data }) => decode(data))
    expect(decoded.map(({ format }) => format)).toEqual(expected.map(({ format }) => format))
    if (copied) expect(decoded.flatMap(({ hashes }) => hashes)).toEqual(expected.flatMap(({ hashes }) => hashes))
    for (const { picture } of segments) {
      const { width, height } = await sharp(picture instanceof Uint8Array ? picture : undefined).metadata()
      expect([width, height]).toEqual(options.rotation ? [120, 160] : [160, 120])
    }
  })

  it("say what is missing, and what is wrong", async () => {
    const { path } = record("cut.mp4", { fastStart: true })
    truncateSync(path, 200_000)
    expect(await collect(cliSegments(path, 10, context))).toHaveLength(2)
    expect(partial).toEqual([expect.stringMatching(/ends early: its header declares 25\.0 s, 1\d\.\d s could be read/)])
    const { path: whole } = record("no-index.mp4")
    truncateSync(whole, 100_000)
    await expect(collect(cliSegments(whole, 10, context))).rejects.toThrow(/no "moov" box/)
    const list = join(dir, "list.mp4")
    writeFileSync(list, `#EXTM3U\n#EXTINF:10,\n${path}\n#EXT-X-ENDLIST\n`)
    await expect(collect(cliSegments(list, 10, context))).rejects.toThrow(/no video in a container that can be read/)
  })

  it("leave nothing behind when nobody wants the rest", async () => {
    const { path } = record("-left over.mp4", { seconds: 60, openGop: true })
    for await (const { start } of cliSegments(path, 10, context)) {
      expect(start).toBe(0)
      break
    }
    expect(readdirSync(tempDir)).toEqual([])
  })
})

it("names what to install where there is neither node-av nor ffmpeg", async () => {
  const { PATH } = process.env
  process.env.PATH = tempDir
  try {
    const { path } = record("nothing.mp4", { seconds: 1 })
    const segments = collect(cliSegments(path, 10, context))
    await expect(segments).rejects.toBeInstanceOf(IngestError)
    await expect(segments).rejects.toThrow(/^ffmpeg not found: .*npm install node-av.*apt-get install ffmpeg/)
  } finally {
    process.env.PATH = PATH
  }
})
