/** Files of a few kilobytes that ask for gigabytes cost one record each; the process lives, and stays small. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"
import { mediaBombs, tableBombs } from "./bombs.ts"
import { folderOf } from "./outcomes.ts"

/** Of it, 544 MiB are what a PDF may take of an item of 16 MiB, and 300 MiB a process that does nothing of note. */
const MOST_MEBIBYTES = 1400

it("are refused, and cost neither much memory nor the process", async () => {
  const mp4 = join(await tempFolder(), "good.mp4")
  writeVideo(mp4, { seconds: 1, fps: 5, width: 128, height: 64, audioCodec: false, fastStart: true })
  const media = await mediaBombs(readFileSync(mp4))
  const tables = await tableBombs()
  const folders = await Promise.all(
    [media, tables].map((bombs) => folderOf(Object.entries(bombs).map(([name, [bytes]]) => ({ name, bytes })))),
  )
  const child = resolve("test/fuzz/bombs-child.ts")
  const { stdout } = await promisify(execFile)(process.execPath, [child, ...folders])
  const { outcomes, mebibytes } = JSON.parse(stdout) as { outcomes: Record<string, string>; mebibytes: number }
  for (const [name, [, says]] of Object.entries({ ...media, ...tables })) {
    const found = outcomes[name] ?? outcomes[`${name}/0`]
    expect(found, name).toMatch(says ? new RegExp(`^failed: .*${says.source}`) : /^done$/)
  }
  expect(mebibytes).toBeLessThan(MOST_MEBIBYTES)
}, 120_000)
