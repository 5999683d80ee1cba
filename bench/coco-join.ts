/** Annotations of the size of val2017 (5,000 images, 36,781 instances, 25,000 captions), found for each image. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { readCaptions, readInstances } from "../src/formats/coco/annotations.ts"
import { VAL2017, writeAnnotations } from "./coco-inputs.ts"
import type { Question } from "./harness.ts"

interface Parsed {
  readonly images: readonly { readonly id: number }[]
  readonly annotations: readonly { readonly image_id: number }[]
}

const parse = async (input: string): Promise<readonly [Parsed, Parsed]> => {
  const read = async (name: string): Promise<Parsed> => JSON.parse(await readFile(join(input, name), "utf8"))
  return [await read("instances.json"), await read("captions.json")]
}

const context = { signal: new AbortController().signal, warn: () => {} }

const question: Question = {
  title: "COCO: annotations of val2017 size, read and joined to their images",
  prepare: (folder) => writeAnnotations(join(folder, "instances.json"), join(folder, "captions.json"), VAL2017),
  variants: {
    sluice: async (input) => {
      const { images, annotations } = await readInstances(join(input, "instances.json"), context)
      const ids = new Set(images.map(({ id }) => id))
      const captions = await readCaptions(join(input, "captions.json"), ids, context)
      let found = 0
      for (const { id } of images) found += annotations.ranges(id).length + captions.annotations.ranges(id).length
      if (found !== 2 * (VAL2017.objects + VAL2017.captions)) throw new Error(`found ${found / 2} annotations`)
    },
    "JSON.parse and 0.2 s": async (input) => {
      await parse(input)
      await sleep(200)
    },
    "JSON.parse and a scan an image": async (input) => {
      const [instances, captions] = await parse(input)
      for (const { id } of instances.images) {
        instances.annotations.filter(({ image_id }) => image_id === id)
        captions.annotations.filter(({ image_id }) => image_id === id)
      }
    },
  },
  goals: { "JSON.parse and 0.2 s": 1 },
}

export default question
