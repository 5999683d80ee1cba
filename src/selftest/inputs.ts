/** Makes what the runs of a cell read, the same on every machine. */
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { loadSharp } from "../media/sharp.ts"
import { batchOf, schemaOf } from "../model/batch.ts"
import { bytesColumn, int32Column } from "../model/column.ts"
import { dice } from "../model/dice.ts"
import type { Columns, Format } from "../model/format.ts"
import { createParquet } from "../parquet/writer.ts"
import type { Cell } from "./cells.ts"

const WORDS = "river gate water flow lock barge mill wheel stone bridge".split(" ")

const prose = (seed: number, most: number): string => {
  const next = dice(seed, "prose")
  return Array.from({ length: 5 + Math.floor(next() * most) }, () => WORDS[Math.floor(next() * WORDS.length)]).join(" ")
}

/** Noise, which does not compress: large enough to be a message of its own. */
const picture = async (seed: number): Promise<Uint8Array> => {
  const sharp = await loadSharp()
  const next = dice(seed, "picture")
  const size = { width: 170, height: 130, channels: 3 } as const
  const pixels = Uint8Array.from({ length: size.width * size.height * size.channels }, () => next() * 256)
  return sharp(pixels, { raw: size }).png().toBuffer()
}

const csv = (seed: number): string => {
  const lines = Array.from({ length: 20 + (seed % 7) * 4 }, (_, row) => `${seed * 1000 + row},${prose(seed + row, 6)}`)
  return `n,words\n${lines.join("\n")}\n`
}

const PICTURES_IN_A_FILE = 4

const writePictures = async (path: string, seed: number): Promise<void> => {
  const pictures: Uint8Array[] = []
  for (let i = 0; i < PICTURES_IN_A_FILE; i++) pictures.push(await picture(seed * PICTURES_IN_A_FILE + i))
  const batch = batchOf({
    n: int32Column(pictures.map((_, i) => seed * PICTURES_IN_A_FILE + i)),
    image: bytesColumn(pictures, { name: "BINARY" }),
  })
  await rm(path, { force: true })
  const file = await createParquet(path, schemaOf(batch))
  await file.write(batch)
  await file.close()
}

/** One file: its name, and what is in it for a seed. */
interface FileKind {
  readonly files: number
  readonly name: (index: number) => string
  readonly write: (path: string, seed: number) => Promise<void>
}

const KINDS: Readonly<Record<"files" | "tabular", Readonly<Record<Cell["rows"], FileKind>>>> = {
  files: {
    lean: {
      files: 24,
      name: (index) => `text ${index}.txt`,
      write: (path, seed) => writeFile(path, prose(seed, 1500)),
    },
    blobs: {
      files: 24,
      name: (index) => `picture ${index}.png`,
      write: async (path, seed) => writeFile(path, await picture(seed)),
    },
  },
  tabular: {
    lean: { files: 6, name: (index) => `table ${index}.csv`, write: (path, seed) => writeFile(path, csv(seed)) },
    blobs: { files: 7, name: (index) => `table ${index}.parquet`, write: writePictures },
  },
}

/** Writes the files of the cell's source. One of them, where it is a folder of files, cannot be read, and one is empty. */
export const writeInputs = async (folder: string, { source, rows }: Cell): Promise<void> => {
  if (source === "format") return
  await mkdir(folder, { recursive: true })
  const { files, name, write } = KINDS[source][rows]
  for (let index = 0; index < files; index++) await write(join(folder, name(index)), index)
  if (source !== "files") return
  await writeFile(join(folder, "broken.png"), "this is no picture yet")
  await writeFile(join(folder, "empty.txt"), "")
}

/** Some change, one vanishes, one is new, and the broken one comes through. */
export const changeInputs = async (folder: string, { source, rows }: Cell): Promise<void> => {
  if (source === "format") return
  const { files, name, write } = KINDS[source][rows]
  for (const index of [1, 3, 4]) await write(join(folder, name(index)), index + 100)
  await rm(join(folder, name(2)))
  await write(join(folder, name(files)), files)
  if (source === "files") await writeFile(join(folder, "broken.png"), await picture(99))
}

const BATCHES = 24

/** A class of one's own. Another state is another dataset, by its name. */
export const newFormat = (rows: Cell["rows"], changed: boolean): Format => ({
  name: changed ? "second" : "first",
  resumable: true,
  schema: () => (rows === "lean" ? {} : { image: "IMAGE" }),
  async *normalize(): AsyncGenerator<Columns> {
    for (let batch = 0; batch < BATCHES; batch++) {
      const seed = batch + (changed ? 1000 : 0)
      if (rows === "lean") {
        const n = Int32Array.from({ length: 6 }, (_, row) => seed * 6 + row)
        yield { n, words: Array.from(n, (value) => prose(value, 8)) }
      } else {
        yield { n: [seed], image: [await picture(seed)] }
      }
    }
  },
})
