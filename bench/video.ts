/** Videos in 10-second segments, with a thumbnail of each: stream copy. */
import { execFileSync } from "node:child_process"
import { copyFile, readdir } from "node:fs/promises"
import { join } from "node:path"
import { filesPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { writeVideo } from "../test/fixtures/video.ts"
import { segmentBare } from "./bare-video.ts"
import type { Question } from "./harness.ts"

const ORIGINALS = 8
const COUNT = 40
const SECONDS = 60

const videos = async (input: string): Promise<string[]> =>
  (await readdir(input)).filter((name) => name.endsWith(".mp4")).map((name) => join(input, name))

const question: Question = {
  title: `video: ${COUNT} × ${SECONDS} s of 720p with sound, 10-s segments with thumbnails`,
  prepare: async (folder) => {
    const name = (i: number): string => join(folder, `video-${i}.mp4`)
    for (let i = 0; i < ORIGINALS; i++) {
      await writeVideo(name(i), { seconds: SECONDS, width: 1280, height: 720, fps: 30, gop: 60 })
    }
    for (let i = ORIGINALS; i < COUNT; i++) await copyFile(name(i % ORIGINALS), name(i))
  },
  variants: {
    sluice: (input, output) =>
      run(
        filesPlan({
          name: "bench",
          source: files({ include: join(input, "*.mp4") }),
          normalize: { video: { thumbnails: false } },
          sink: lance({ uri: output, table: "t" }),
        }),
      ),
    /** The loop one would write around node-av, one video after the other: segments to files, nothing stored. */
    "bare node-av loop": async (input, output) => {
      for (const video of await videos(input)) await segmentBare(video, output)
    },
    /** Two calls of the command line for each segment. */
    "ffmpeg a segment": async (input, output) => {
      for (const video of await videos(input)) {
        for (let start = 0; start < SECONDS; start += 10) {
          const common = ["-nostdin", "-v", "error", "-y", "-ss", String(start)]
          const target = join(output, `${start}`)
          execFileSync("ffmpeg", [...common, "-t", "10", "-i", video, "-c", "copy", `${target}.mp4`])
          execFileSync("ffmpeg", [...common, "-i", video, "-frames:v", "1", "-vf", "scale=256:-2", `${target}.jpg`])
        }
      }
    },
  },
  goals: { "bare node-av loop": 0.85, "ffmpeg a segment": 4 },
}

export default question
