import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { avClip } from "../../../src/media/video/av-clip.ts"
import { cliClip } from "../../../src/media/video/cli-clip.ts"
import { concatVideos } from "../../fixtures/concat.ts"
import { decodeVideo } from "../../fixtures/decode.ts"
import type { VideoOptions } from "../../fixtures/video.ts"
import { ffmpegInstalled, videoRoom } from "../../fixtures/video-room.ts"

const installed = ffmpegInstalled("clips without node-av")
const { dir, tempDir, context, partial, record, decode } = await videoRoom()

const fps = 10
const episode = (name: string, frames: number, options: VideoOptions): string =>
  record(name, { seconds: frames / fps, fps, audioCodec: false, ...options }).path

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i)

const ways = [["node-av", avClip] as const, ...(installed ? [["ffmpeg", cliClip] as const] : [])]

const cases: readonly (readonly [string, VideoOptions])[] = [
  ["H.264, a key frame every second picture", { gop: 2 }],
  ["H.264 with B-frames", { gop: 4, bFrames: 2 }],
  ["HEVC", { videoCodec: "libx265", gop: 5 }],
  ["VP9", { videoCodec: "libvpx-vp9", gop: 2 }],
]

describe.each(ways)("clips through %s", (_, clip) => {
  it.each(cases)("of joined episodes are what was joined: %s", async (name, options) => {
    const lengths = [11, 1, 20, 7]
    const files = lengths.map((frames, index) => episode(`${index}.mp4`, frames, options))
    const joined = join(dir, `${name.replace(/\W/g, "")}.mp4`)
    const starts = concatVideos(files, joined)
    for (const [index, file] of files.entries()) {
      const stretch = { start: starts[index] ?? 0, end: starts[index + 1] ?? 0 }
      const { data, pictures } = await clip(joined, stretch, context)
      const original = decodeVideo(file)
      const found = decode(data)
      expect(pictures).toBe(lengths[index])
      expect(found.hashes).toEqual(original.hashes)
      expect(found.errors).toBe(0)
      expect(found.firstPicture).toBeCloseTo(0, 2)
      expect(found.codec).toBe(original.codec)
    }
    expect(readdirSync(tempDir)).toEqual([])
  })

  it("are encoded again where they begin or end between key frames", async () => {
    const path = episode("long.mp4", 40, { gop: 15, bFrames: 2 })
    for (const [start, end] of [
      [7, 21],
      [15, 22],
      [33, 40],
    ] as const) {
      const { data, pictures } = await clip(path, { start: start / fps, end: end / fps }, context)
      const found = decode(data)
      expect(pictures).toBe(end - start)
      expect(found.numbers).toEqual(range(start, end))
      expect(found.errors).toBe(0)
      expect(found.firstPicture).toBeCloseTo(0, 2)
    }
    expect(readdirSync(tempDir)).toEqual([])
  })

  it("are encoded again where pictures refer back across a key frame", async () => {
    const path = episode("open.mp4", 45, { gop: 15, openGop: true })
    const { data } = await clip(path, { start: 1.5, end: 3 }, context)
    expect(decode(data).numbers).toEqual(range(15, 30))
    expect(decode(data).errors).toBe(0)
  })

  it("have their part of the sound", async () => {
    const path = episode("sound.mp4", 60, { gop: 10, audioCodec: "aac" })
    const { data } = await clip(path, { start: 2, end: 4 }, context)
    const found = decode(data)
    expect(found.numbers).toEqual(range(20, 40))
    // Two seconds of 1,024 samples at 48 kHz, and at most 0.2 s more: `ffmpeg` goes by the order in the file.
    expect(Math.abs(found.audioPackets - 94)).toBeLessThan(10)
  })

  it("are the file itself where that holds nothing else", async () => {
    const path = episode("alone.mp4", 9, { gop: 2, bFrames: 2 })
    expect(await clip(path, { start: 0, end: 0.9 }, context)).toEqual({ pictures: 9 })
    expect(await clip(path, { start: 0, end: Number.POSITIVE_INFINITY }, context)).toEqual({ pictures: 9 })
    expect(await clip(path, { start: 0, end: 2 }, context)).toEqual({ pictures: 9 })
    expect(partial).toEqual([])
  })

  it("without pictures have no bytes, and too large ones are refused", async () => {
    const path = episode("short.mp4", 20, { gop: 2 })
    expect(await clip(path, { start: 5, end: 6 }, context)).toEqual({ data: new Uint8Array(), pictures: 0 })
    const small = { ...context, maxBytes: 500 }
    await expect(clip(path, { start: 1, end: 2 }, small)).rejects.toThrow(/more than 500/)
    expect(readdirSync(tempDir)).toEqual([])
  })
})
