import { createHash } from "node:crypto"
import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { valueAt } from "../../src/model/column.ts"
import type { NormalizeContext } from "../../src/model/normalizer.ts"
import { readOptions } from "../../src/model/options.ts"
import { video } from "../../src/normalizers/video.ts"
import { decodeVideo, psnr } from "../fixtures/decode.ts"
import { type VideoOptions, writeVideo } from "../fixtures/video.ts"
import { videoRoom } from "../fixtures/video-room.ts"

const { dir, tempDir, context, record, decode } = await videoRoom()

interface Row {
  readonly id: string
  readonly fileId: string
  readonly index: number
  readonly start: number
  readonly end: number
  readonly data: Uint8Array
  readonly thumbnail: Uint8Array | null
  readonly text: string
  readonly sideRows: number
}

interface Run {
  readonly rows: readonly Row[]
  readonly partial: readonly string[]
}

const itemOf = (path: string) => ({ id: "videos/a", uri: path, version: "1", bytes: 0 })

const normalize = async (
  path: string,
  options: Record<string, unknown> = {},
  overrides: Partial<NormalizeContext> = {},
): Promise<Run> => {
  const partial: string[] = []
  const rows: Row[] = []
  const read = readOptions("video", video.options, options)
  const own = { ...context, partial: (message: string) => partial.push(message), ...overrides }
  for await (const { batch, side } of video.normalize(itemOf(path), read, own)) {
    expect([...batch.columns.keys()]).toEqual(Object.keys(video.columns))
    expect([...batch.columns.values()].map(({ type }) => type.name)).toEqual(Object.values(video.columns))
    expect(batch.rows).toBe(1)
    const value = (name: string): unknown => {
      const column = batch.columns.get(name)
      return column && valueAt(column, 0)
    }
    rows.push({
      id: value("id") as string,
      fileId: value("file_id") as string,
      index: value("chunk_index") as number,
      start: value("start_time") as number,
      end: value("end_time") as number,
      data: (value("video_data") as Uint8Array).slice(),
      thumbnail: value("thumbnail") as Uint8Array | null,
      text: value("text") as string,
      sideRows: side?.thumbnails?.rows ?? 0,
    })
  }
  expect(readdirSync(tempDir)).toEqual([])
  return { rows, partial }
}

const failure = async (path: string, overrides: Partial<NormalizeContext> = {}): Promise<Error> => {
  try {
    await normalize(path, {}, overrides)
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error(`${path} was read without an error`)
}

interface Case {
  readonly name: string
  readonly options: VideoOptions
  /** Whether the pictures are the source's own packets. */
  readonly copied: boolean
  readonly starts: readonly number[]
  readonly format: string
}

const GRID = [0, 10, 20]
const cases: readonly Case[] = [
  { name: "plain.mp4", options: {}, copied: true, starts: GRID, format: "mp4" },
  { name: "long-gop.mp4", options: { gop: 220 }, copied: true, starts: [0, 220 / 15], format: "mp4" },
  { name: "b-frames.mp4", options: { bFrames: 3 }, copied: true, starts: GRID, format: "mp4" },
  { name: "variable-rate.mp4", options: { variableRate: true }, copied: true, starts: GRID, format: "mp4" },
  { name: "silent.mp4", options: { audioCodec: false }, copied: true, starts: GRID, format: "mp4" },
  { name: "late-picture.mp4", options: { videoDelay: 1.3 }, copied: true, starts: [0, 10.3, 20.3], format: "mp4" },
  { name: "hevc.mp4", options: { videoCodec: "libx265", bFrames: 2 }, copied: true, starts: GRID, format: "mp4" },
  { name: "plain.mov", options: {}, copied: true, starts: GRID, format: "mp4" },
  { name: "b-frames.mkv", options: { bFrames: 2 }, copied: true, starts: GRID, format: "matroska" },
  { name: "clock.mkv", options: { startAt: 100 }, copied: true, starts: GRID, format: "matroska" },
  { name: "vp9.webm", options: {}, copied: true, starts: GRID, format: "webm" },
  { name: "vp8.webm", options: { videoCodec: "libvpx" }, copied: true, starts: GRID, format: "webm" },
  { name: "plain.avi", options: {}, copied: true, starts: GRID, format: "matroska" },
  { name: "no-times.avi", options: { bFrames: 2 }, copied: false, starts: GRID, format: "matroska" },
  { name: "open-gop.mp4", options: { openGop: true }, copied: false, starts: GRID, format: "mp4" },
  { name: "open-gop.mkv", options: { openGop: true, gop: 20 }, copied: false, starts: GRID, format: "matroska" },
  {
    name: "open-gop-hevc.mp4",
    options: { openGop: true, videoCodec: "libx265", variableRate: true },
    copied: false,
    starts: GRID,
    format: "mp4",
  },
]

describe("segments of a whole video", () => {
  it.each(cases)("$name", async ({ name, options, copied, starts, format }) => {
    const { path, frames, audioPackets } = record(name, options)
    const { rows, partial } = await normalize(path)
    const source = decodeVideo(path)
    const segments = rows.map(({ data }) => decode(data))
    expect(partial).toEqual([])
    expect(source.numbers).toHaveLength(frames)

    // Every picture, in order, once; every packet of sound; and each segment plays on its own.
    expect(segments.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: frames }, (_, i) => i))
    expect(segments.map(({ errors }) => errors)).toEqual(rows.map(() => 0))
    expect(segments.reduce((sum, segment) => sum + segment.audioPackets, 0)).toBe(audioPackets)
    if (copied) expect(segments.flatMap(({ hashes }) => hashes)).toEqual(source.hashes)
    else {
      const worst = segments
        .flatMap(({ luma }) => luma)
        .map((plane, i) => psnr(plane, source.luma[i] ?? new Uint8Array()))
      expect(Math.min(...worst)).toBeGreaterThan(32)
    }

    // Of a file with a variable rate, packets do not tell exactly how long each picture stands.
    const near = (time: number) =>
      expect.toSatisfy((found: number) => Math.abs(found - time) < (options.variableRate ? 0.13 : 0.03))
    expect(rows.map(({ start }) => start)).toEqual(starts.map(near))
    expect(rows[0]?.start).toBe(0)
    expect(rows.map(({ end }) => end)).toEqual([...starts.slice(1), 25 + (options.videoDelay ?? 0)].map(near))
    for (const { firstPicture, firstSound } of segments.slice(1)) {
      expect(firstPicture).toBeCloseTo(0, 2)
      if (audioPackets > 0) expect(Math.abs(firstPicture - firstSound)).toBeLessThan(0.03)
    }
    expect(new Set(segments.map((segment) => segment.format)).size).toBe(1)
    expect(segments[0]?.format).toContain(format)

    expect(rows.map(({ index }) => index)).toEqual(rows.map((_, i) => i))
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
    expect(new Set(rows.map(({ fileId }) => fileId)).size).toBe(1)
    for (const row of rows) {
      expect(row).toMatchObject({ text: "", sideRows: 4 })
      expect(await sharp(row.thumbnail ?? new Uint8Array()).metadata()).toMatchObject({
        format: "jpeg",
        width: 160,
        height: 120,
      })
    }
  })

  it("copies up to the last clean cut and re-encodes the rest", async () => {
    const { path, frames, audioPackets } = record("half-open.mp4", { openGop: true, cleanAt: [150], seconds: 35 })
    const { rows, partial } = await normalize(path)
    expect(partial).toEqual([])
    expect(rows.map(({ start }) => start)).toEqual([0, 10, 20, 30].map((time) => expect.closeTo(time, 1)))
    const segments = rows.map(({ data }) => decode(data))
    expect(segments.flatMap(({ numbers }) => numbers)).toEqual(Array.from({ length: frames }, (_, i) => i))
    expect(segments.map(({ errors }) => errors)).toEqual([0, 0, 0, 0])
    expect(segments.reduce((sum, segment) => sum + segment.audioPackets, 0)).toBe(audioPackets)
    const { hashes } = decodeVideo(path)
    expect(segments[0]?.hashes).toEqual(hashes.slice(0, 150))
    expect(segments[1]?.hashes).not.toEqual(hashes.slice(150, 300))
  })

  it("waits for a clean key frame where one comes before the next mark", async () => {
    const { path } = record("mixed.mp4", { openGop: true, cleanAt: [165, 330], seconds: 28 })
    const { rows } = await normalize(path)
    expect(rows.map(({ start }) => start)).toEqual([0, 11, 22].map((time) => expect.closeTo(time, 1)))
    expect(rows.map(({ data }) => decode(data)).flatMap(({ hashes }) => hashes)).toEqual(decodeVideo(path).hashes)
  })

  it("would notice a cut in an open group", () => {
    for (const videoCodec of ["libx264", "libx265"] as const) {
      const { path } = record(`bad-cut-${videoCodec}.mp4`, { openGop: true, videoCodec, seconds: 4 })
      expect(decodeVideo(path).errors).toBe(0)
      expect(decodeVideo(path, 2).errors).toBeGreaterThan(0)
    }
  })
})

describe("thumbnails", () => {
  const isRed = async (image: Uint8Array, x: number, y: number): Promise<boolean> => {
    const { data, info } = await sharp(image).raw().toBuffer({ resolveWithObject: true })
    const [red = 0, green = 0, blue = 0] = data.subarray((y * info.width + x) * info.channels)
    return red > 150 && green < 90 && blue < 90
  }

  it.each([
    { rotation: 0, size: [160, 120], red: [8, 8] },
    { rotation: 90, size: [120, 160], red: [111, 8] },
    { rotation: 180, size: [160, 120], red: [151, 111] },
    { rotation: 270, size: [120, 160], red: [8, 151] },
  ] as const)("stand upright when the player must turn by $rotation degrees", async ({ rotation, size, red }) => {
    for (const openGop of [false, true]) {
      const { rows } = await normalize(record("turned.mp4", { rotation, openGop, seconds: 12 }).path)
      expect(rows).toHaveLength(2)
      for (const row of rows) {
        const thumbnail = row.thumbnail ?? new Uint8Array()
        const { width, height } = await sharp(thumbnail).metadata()
        expect([width, height]).toEqual(size)
        const corners = [
          [8, 8],
          [size[0] - 9, 8],
          [8, size[1] - 9],
          [size[0] - 9, size[1] - 9],
        ] as const
        const found = []
        for (const [x, y] of corners) if (await isRed(thumbnail, x, y)) found.push([x, y])
        expect(found).toEqual([red])
        expect(decode(row.data).turned).toBe(rotation !== 0)
      }
    }
  })

  it("fit in 256 pixels, and leave the side table alone when told to", async () => {
    const { path } = record("large.mp4", { width: 640, height: 360, seconds: 2, fps: 5 })
    const { rows } = await normalize(path, { thumbnails: false })
    expect(rows.map(({ sideRows }) => sideRows)).toEqual([0])
    expect(await sharp(rows[0]?.thumbnail ?? new Uint8Array()).metadata()).toMatchObject({ width: 256, height: 144 })
  })
})

describe("options and limits", () => {
  it("cuts at the first key frame on or after each multiple of `segment`", async () => {
    const { path } = record("short-segments.mp4", { gop: 8 })
    const { rows } = await normalize(path, { segment: "3s" })
    const keys = Array.from({ length: 47 }, (_, i) => (i * 8) / 15)
    const expected = new Set([0, 3, 6, 9, 12, 15, 18, 21, 24].map((mark) => keys.find((time) => time >= mark - 0.001)))
    expect(rows.map(({ start }) => start)).toEqual([...expected].map((time) => expect.closeTo(time ?? Number.NaN, 3)))
    expect(() => readOptions("video", video.options, { segment: "500ms" })).toThrow(/video\.segment/)
  })

  it("gives the same bytes in every run", async () => {
    for (const { path } of [record("again.mkv", { bFrames: 2 }), record("again.mp4", { openGop: true })]) {
      const [first, second] = [await normalize(path), await normalize(path)]
      const hashes = ({ rows }: Run) => rows.map(({ data }) => createHash("md5").update(data).digest("hex"))
      expect(hashes(second)).toEqual(hashes(first))
    }
  })

  it("cuts on the marks a video without key frames that would not fit in memory as one segment", async () => {
    const { path, frames } = record("one-key.mp4", { gop: 10_000, audioCodec: false })
    const { rows } = await normalize(path, {}, { maxBytes: 60_000 })
    expect(rows.map(({ start }) => start)).toEqual(GRID.map((time) => expect.closeTo(time, 1)))
    expect(rows.flatMap((row) => decode(row.data).numbers)).toEqual(Array.from({ length: frames }, (_, i) => i))
    expect((await failure(path, { maxBytes: 5_000 })).message).toMatch(
      /segment of the video has \d+ bytes, at most 5000/,
    )
  })

  it("leaves no files behind when nobody wants the rest, and stops when told to", async () => {
    for (const options of [{}, { openGop: true }]) {
      const { path } = record("left.mp4", options)
      const rows = video.normalize(itemOf(path), readOptions("video", video.options), context)
      for await (const { batch } of rows) {
        expect(batch.rows).toBe(1)
        break
      }
      expect(readdirSync(tempDir)).toEqual([])
    }
    const controller = new AbortController()
    let calls = 0
    const progress = (): void => {
      calls++
      controller.abort(new Error("stopped by the test"))
    }
    const { path } = record("slow.mp4", { openGop: true, seconds: 60, fps: 25, width: 640, height: 480 })
    expect((await failure(path, { progress, signal: controller.signal })).message).toBe("stopped by the test")
    expect(calls).toBe(1)
    expect(readdirSync(tempDir)).toEqual([])
  })
})

describe("damaged and foreign files", () => {
  it.each(["cut.mp4", "cut.mkv", "cut.webm", "cut.avi"])(
    "keeps what is there of %s and says what is missing",
    async (name) => {
      const { path } = record(name, { fastStart: true })
      truncateSync(path, Math.floor(readFileSync(path).length * 0.6))
      const { rows, partial } = await normalize(path)
      expect(rows.map(({ start }) => start)).toEqual([0, expect.closeTo(10, 1)])
      const end = rows.at(-1)?.end ?? Number.NaN
      expect(end).toBeGreaterThan(11)
      expect(end).toBeLessThan(19)
      expect(partial).toEqual([
        expect.stringMatching(/ends early: its header declares 25\.0 s, 1\d\.\d s could be read/),
      ])
      const segments = rows.map(({ data }) => decode(data))
      expect(segments.map(({ errors }) => errors)).toEqual([0, 0])
      expect(segments.flatMap(({ numbers }) => numbers)).toEqual(
        Array.from({ length: Math.round(end * 15) }, (_, i) => i),
      )
    },
  )

  it("says that the index is missing from an MP4 that was cut off", async () => {
    const { path } = record("no-index.mp4")
    truncateSync(path, 100_000)
    const error = await failure(path)
    expect(error).toMatchObject({ name: "IngestError" })
    expect(error.message).toMatch(/no "moov" box; found: ftyp, free, mdat\): the file was cut off, or its recording/)
  })

  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(dir, name)
    writeFileSync(path, content)
    return path
  }

  it("says what is wrong with files that are no videos", async () => {
    const { path: other } = record("other.mp4", { seconds: 1 })
    const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)
    const files: readonly (readonly [string, RegExp])[] = [
      [write("empty.mp4", ""), /the file is empty \(0 bytes\)/],
      [write("noise.mp4", noise), /no video in a container that can be read/],
      [write("text.mkv", "a text that calls itself a video"), /the file starts with "a text that call"/],
      [
        write("head.mkv", readFileSync(record("whole.mkv", { seconds: 1 }).path).subarray(0, 30)),
        /Matroska.*damaged or cut off/,
      ],
      [write("list.mp4", `#EXTM3U\n#EXTINF:10,\n${other}\n#EXT-X-ENDLIST\n`), /no video in a container/],
      [write("concat.mp4", `ffconcat version 1.0\nfile '${other}'\n`), /no video in a container/],
    ]
    for (const [path, message] of files) {
      expect(await failure(path)).toMatchObject({ name: "IngestError", message: expect.stringMatching(message) })
    }
  })

  it("says that no picture is left", async () => {
    const { path } = record("no-data.mp4", { fastStart: true, seconds: 5 })
    const bytes = readFileSync(path)
    const error = await failure(write("no-data.mp4", bytes.subarray(0, bytes.indexOf("mdat") + 4)))
    expect(error.message).toMatch(/no picture of the video can be read/)
  })

  it("refuses frames that no memory holds, before decoding one", async () => {
    const { path } = record("bomb.mp4", { seconds: 1 })
    const bytes = readFileSync(path)
    // Width and height of the sample entry: ISO/IEC 14496-12, 12.1.3.
    bytes.writeUInt32BE(0xea60ea60, bytes.lastIndexOf("avc1") + 28)
    expect((await failure(write("bomb.mp4", bytes))).message).toMatch(/frames are too large: 60000 x 60000 pixels/)
  })

  it("wants a picture", async () => {
    const path = join(dir, "sound.mp4")
    writeVideo(path, { seconds: 1, videoCodec: false })
    expect((await failure(path)).message).toMatch(/without a video stream \(it has: sound\)/)
  })

  it("reads names that mean something to FFmpeg or to a shell as names", async () => {
    const { path } = record("named.mp4", { seconds: 2 })
    for (const name of ["-i.mp4", "concat:a|b.mp4", "100%25 $(x) ü.mp4"]) {
      copyFileSync(path, join(dir, name))
      expect((await normalize(join(dir, name))).rows).toHaveLength(1)
    }
  })
})
