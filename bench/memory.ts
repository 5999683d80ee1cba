/**
 * Peak memory of the process tree on mixed files with four workers, and on ten times as many: `node bench/memory.ts`.
 * To reach: at most 1 GiB, and at most 1.15 times as much for ten times the input.
 */
import { existsSync } from "node:fs"
import { link, mkdir, readdir, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { dice } from "../src/model/dice.ts"
import { words } from "../test/fixtures/folder.ts"
import { pdfOf } from "../test/fixtures/pdf.ts"
import { writeVideo } from "../test/fixtures/video.ts"
import { measureNode, median, withOutput } from "./harness.ts"
import { photograph } from "./inputs.ts"

const TIMES = 10
const RUNS = 3

const writeOriginals = async (folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
  const next = dice(3)
  for (let i = 0; i < 24; i++) await writeFile(join(folder, `photo-${i}.jpg`), await photograph(3000, 2000, i + 1))
  for (let i = 0; i < 40; i++)
    await writeFile(join(folder, `note-${i}.md`), words(500 + Math.floor(next() * 3000), next))
  const pages = Array.from({ length: 12 }, (_, page) => ({
    text: `Page ${page + 1}\n${words(30, next)
      .match(/.{1,40}( |$)/g)
      ?.join("\n")}`,
  }))
  for (let i = 0; i < 6; i++) await writeFile(join(folder, `paper-${i}.pdf`), pdfOf(pages))
  for (let i = 0; i < 3; i++)
    await writeVideo(join(folder, `clip-${i}.mp4`), { seconds: 40, width: 1280, height: 720, fps: 25 })
  for (let i = 0; i < 10; i++) await writeFile(join(folder, `blob-${i}.bin`), Buffer.alloc(3 << 20, i))
}

const prepare = async (folder: string): Promise<void> => {
  await writeOriginals(join(folder, "once"))
  await mkdir(join(folder, "times"), { recursive: true })
  for (const name of await readdir(join(folder, "once"))) {
    for (let copy = 0; copy < TIMES; copy++)
      await link(join(folder, "once", name), join(folder, "times", `${copy}-${name}`))
  }
}

/** Peak of the command's process tree, in MiB. */
const measure = (folder: string): Promise<number> =>
  withOutput(async (uri) => {
    const command = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url))
    const args = ["ingest", folder, "--table", "t", "--uri", uri, "--threads", "4"]
    return (await measureNode([command, ...args])).memory
  })

const input = join(tmpdir(), "sluice-bench-memory")
if (!existsSync(join(input, "times"))) await prepare(input)
const peaks: Record<string, number> = {}
for (const folder of ["once", "times"]) {
  const memory: number[] = []
  for (let i = 0; i < RUNS; i++) memory.push(await measure(join(input, folder)))
  peaks[folder] = median(memory)
  console.log(`${folder}: peak ${memory.map(Math.round).join(", ")} MiB`)
}
console.log(`${TIMES} times the input: ${((peaks.times ?? 0) / (peaks.once ?? 1)).toFixed(2)} times the memory`)
