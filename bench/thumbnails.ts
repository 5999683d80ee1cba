/** Twelve-megapixel JPEGs with four thumbnails each. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { filesPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { openBare } from "./bare.ts"
import type { Question } from "./harness.ts"
import { writeJpegs } from "./inputs.ts"

/** Two pictures at a time: each is decoded once, and the smaller thumbnails are made from the largest. */
const cascades = async (input: string, done: (image: Buffer, thumbnails: Buffer[]) => Promise<void>): Promise<void> => {
  sharp.concurrency(1)
  sharp.cache(false)
  const names = (await readdir(input)).filter((name) => name.endsWith(".jpg")).sort()
  const next = names[Symbol.iterator]()
  const lane = async (): Promise<void> => {
    for (const name of next) {
      const image = await readFile(join(input, name))
      const { data, info } = await sharp(image)
        .rotate()
        .resize(256, 256, { fit: "inside" })
        .raw()
        .toBuffer({ resolveWithObject: true })
      const raw = { width: info.width, height: info.height, channels: info.channels as 3 }
      const smaller = [128, 64, 32].map((size) => sharp(data, { raw }).resize(size, size, { fit: "inside" }))
      await done(
        image,
        await Promise.all([sharp(data, { raw }), ...smaller].map((one) => one.jpeg({ quality: 85 }).toBuffer())),
      )
    }
  }
  await Promise.all([lane(), lane()])
}

const question: Question = {
  title: "images: 200 JPEGs of 12 megapixels, four thumbnails each",
  prepare: (folder) => writeJpegs(folder, 200, 4000, 3000),
  variants: {
    sluice: (input, output) =>
      run(filesPlan({ name: "bench", source: files({ include: input }), sink: lance({ uri: output, table: "t" }) })),
    /** The cascade alone: nothing is written, neither the pictures nor the thumbnails. */
    "bare cascade": (input) => cascades(input, async () => {}),
    /** The same, with pictures and thumbnails added to tables, as one would by hand. */
    "cascade and add()": async (input, output) => {
      const [addImages, addThumbnails] = [
        await openBare(join(output, "images")),
        await openBare(join(output, "thumbnails")),
      ]
      let images: Buffer[] = []
      let thumbnails: Buffer[] = []
      let bytes = 0
      const commit = async (): Promise<void> => {
        const [full, small] = [images, thumbnails]
        images = []
        thumbnails = []
        bytes = 0
        await addImages({ image: full })
        await addThumbnails({ content: small })
      }
      await cascades(input, async (image, made) => {
        images.push(image)
        thumbnails.push(...made)
        bytes += image.length
        if (bytes > 44 << 20) await commit()
      })
      await commit()
    },
    "a decode for each size": async (input) => {
      sharp.concurrency(1)
      sharp.cache(false)
      const names = (await readdir(input)).filter((name) => name.endsWith(".jpg")).sort()
      const next = names[Symbol.iterator]()
      const lane = async (): Promise<void> => {
        for (const name of next) {
          const file = await readFile(join(input, name))
          for (const size of [256, 128, 64, 32]) {
            await sharp(file).rotate().resize(size, size, { fit: "inside" }).jpeg({ quality: 85 }).toBuffer()
          }
        }
      }
      await Promise.all([lane(), lane()])
    },
  },
  goals: { "bare cascade": 0.9, "cascade and add()": 0.9, "a decode for each size": 2 },
}

export default question
