/** Damaged videos in each container: segments, with a word about what is missing, or one record. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { cliSegments } from "../../src/media/video/cli-segments.ts"
import { FfmpegNotFound } from "../../src/media/video/clips.ts"
import { IngestError } from "../../src/model/errors.ts"
import { collect } from "../fixtures/collect.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { type VideoOptions, writeVideo } from "../fixtures/video.ts"
import { type Good, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, folderOf, lostOnes, runFiles, silentOnes } from "./outcomes.ts"

const folder = await tempFolder()

const good = (name: string, extension: string, options: VideoOptions = {}): Good => {
  const path = join(folder, `${name}.${extension}`)
  writeVideo(path, { seconds: 1.5, fps: 10, width: 128, height: 64, gop: 5, ...options })
  return { name, extension, bytes: readFileSync(path) }
}

const GOODS = [
  good("index-first", "mp4", { fastStart: true }),
  good("index-last", "mp4"),
  good("open-gop", "mov", { openGop: true, fastStart: true }),
  good("matroska", "mkv", { bFrames: 2 }),
  good("webm", "webm"),
  good("avi", "avi"),
]

const MUTANTS = [...GOODS.flatMap((one) => mutantsOf(one)), ...swappedOf(GOODS)]

it(
  "are segments or one record each, and none that is cut off passes for whole",
  async () => {
    const ran = await runFiles("video", MUTANTS)
    checkRun(ran, MUTANTS)
    expect(silentOnes(ran, MUTANTS)).toEqual([])
    expect(lostOnes(ran, MUTANTS)).toEqual([])
  },
  TIMEOUT,
)

it(
  "are the same through the programs ffmpeg and ffprobe, or all say that there are none",
  async () => {
    // Each of them starts several processes: of every kind of damage some are enough.
    const some = MUTANTS.filter((_, index) => index % 10 === 0)
    const dir = await folderOf(some)
    const silent: string[] = []
    for (const { name, kind } of some) {
      const told: string[] = []
      const context = {
        signal: new AbortController().signal,
        tempDir: await tempFolder(),
        maxBytes: 2 ** 28,
        progress: () => {},
        partial: (message: string) => told.push(message),
      }
      try {
        await collect(cliSegments(join(dir, name), 10, context))
        if (kind === "cut" && told.length === 0) silent.push(name)
      } catch (error) {
        if (error instanceof FfmpegNotFound) continue
        expect(error, name).toBeInstanceOf(IngestError)
      }
    }
    expect(silent).toEqual([])
  },
  TIMEOUT,
)
