/** An instances file of the size of train2017: 860,001 annotations, 425 MB. The peak of memory is what counts. */
import { createReadStream } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { JSONParser } from "@streamparser/json"
import { readInstances } from "../src/formats/coco/annotations.ts"
import { TRAIN2017, writeAnnotations } from "./coco-inputs.ts"
import type { Question } from "./harness.ts"

const question: Question = {
  title: "COCO: 860,001 annotations (425 MB) read and indexed",
  prepare: (folder) => writeAnnotations(join(folder, "instances.json"), join(folder, "captions.json"), TRAIN2017),
  variants: {
    sluice: async (input) => {
      const path = join(input, "instances.json")
      const { images, annotations } = await readInstances(path, {
        signal: new AbortController().signal,
        warn: () => {},
      })
      let found = 0
      for (const { id } of images) found += annotations.ranges(id).length / 2
      if (found !== TRAIN2017.objects) throw new Error(`found ${found} annotations`)
    },
    "@streamparser/json": async (input) => {
      const parser = new JSONParser({
        paths: ["$.images.*", "$.annotations.*"],
        keepStack: false,
        stringBufferSize: 64 << 10,
        numberBufferSize: 64,
      })
      const byImage = new Map<unknown, number>()
      parser.onValue = ({ value }) => {
        const { image_id } = value as unknown as { readonly image_id?: number }
        byImage.set(image_id, (byImage.get(image_id) ?? 0) + 1)
      }
      for await (const chunk of createReadStream(join(input, "instances.json"), { highWaterMark: 1 << 20 })) {
        parser.write(chunk)
      }
    },
    "JSON.parse": async (input) => {
      const { annotations } = JSON.parse(await readFile(join(input, "instances.json"), "latin1"))
      return Map.groupBy(annotations as { readonly image_id: number }[], ({ image_id }) => image_id)
    },
  },
  goals: {},
}

export default question
