/** JPEGs of 100 to 300 KB, kept as they are, without thumbnails. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { filesPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { openBare } from "./bare.ts"
import type { Question } from "./harness.ts"
import { writeJpegs } from "./inputs.ts"

const COMMIT_BYTES = 48 << 20

const question: Question = {
  title: "images: 3,000 JPEGs of about 200 KB, bytes only",
  prepare: (folder) => writeJpegs(folder, 3000, 1280, 960),
  variants: {
    sluice: (input, output) =>
      run(
        filesPlan({
          name: "bench",
          source: files({ include: input }),
          normalize: { image: { thumbnails: false } },
          sink: lance({ uri: output, table: "t" }),
        }),
      ),
    bare: async (input, output) => {
      const add = await openBare(output)
      let names: string[] = []
      let images: Buffer[] = []
      let bytes = 0
      const commit = async (): Promise<void> => {
        await add({ filename: names, image: images })
        names = []
        images = []
        bytes = 0
      }
      for (const name of (await readdir(input)).sort()) {
        if (!name.endsWith(".jpg")) continue
        const image = await readFile(join(input, name))
        if (bytes + image.length > COMMIT_BYTES) await commit()
        names.push(name)
        images.push(image)
        bytes += image.length
      }
      await commit()
    },
  },
  goals: { bare: 0.9 },
}

export default question
