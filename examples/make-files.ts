/** Makes a small folder of real files of every medium: `make-files.ts FOLDER`. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { pdfOf } from "../test/fixtures/pdf.ts"
import { writeVideo } from "../test/fixtures/video.ts"

/** A hill, a sky and a river, drawn as an SVG. */
const landscape = (hue: number): Buffer =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800">
    <rect width="1200" height="800" fill="hsl(${hue}, 60%, 75%)"/>
    <circle cx="950" cy="180" r="90" fill="hsl(45, 90%, 65%)"/>
    <path d="M0 520 Q 300 300 620 500 T 1200 430 V 800 H 0 Z" fill="hsl(${hue + 90}, 35%, 40%)"/>
    <path d="M560 800 C 620 700 520 620 700 520 L 760 520 C 640 630 760 700 720 800 Z" fill="hsl(205, 70%, 60%)"/>
  </svg>`)

const NOTES = `# The sluice

A sluice is a gate that lets water through, as much as the channel behind it can carry, and no more.
The river rises at night; the keeper opens the gate by a hand's breadth and goes back to bed.

${Array.from({ length: 40 }, (_, day) => `Day ${day + 1}: level ${(2 + Math.sin(day) / 2).toFixed(2)} m, gate ${day % 3} hands open.`).join("\n")}
`

export const makeFiles = async (folder: string): Promise<void> => {
  await mkdir(join(folder, "notes"), { recursive: true })
  const pages = ["The river in spring", "The river in summer", "What the gate keeper wrote"]
  await Promise.all([
    sharp(landscape(200)).jpeg({ quality: 88 }).toFile(join(folder, "river at noon.jpg")),
    sharp(landscape(20)).png().toFile(join(folder, "river at dusk.png")),
    writeFile(join(folder, "report.pdf"), pdfOf(pages.map((text) => ({ text: `${text}: the layout of the gate.` })))),
    writeFile(join(folder, "notes", "sluice.md"), NOTES),
    writeFile(join(folder, "levels.bin"), Buffer.from(Float64Array.from({ length: 512 }, Math.sin).buffer)),
    writeVideo(join(folder, "water.mp4"), { seconds: 25 }),
  ])
}

const [target] = process.argv.slice(2)
if (import.meta.main && target) await makeFiles(target)
