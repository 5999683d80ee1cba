/** The examples of panopticapi: the same segments as colours of a PNG, and as RLE in an instances file. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { Coco } from "../../../src/formats/coco/coco.ts"
import { CocoPanoptic } from "../../../src/formats/coco/panoptic.ts"
import { decodeCounts, encodeCounts } from "../../../src/media/mask/rle.ts"
import { segmentationRuns } from "../../../src/media/mask/segmentation.ts"
import { formatPlan, run } from "../../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../../src/sinks/memory.ts"
import { rowsOf } from "../../fixtures/plans.ts"
import { samples } from "../../fixtures/samples.ts"

const root = samples("coco-panoptic") ?? ""

interface Segment {
  readonly id: number
  readonly category_id: number
}

interface Pixels {
  readonly width: number
  readonly height: number
  /** Row by row: the segment that the colour names. */
  readonly ids: readonly number[]
}

const idsOf = async (png: Uint8Array): Promise<Pixels> => {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const ids = Array.from({ length: info.width * info.height }, (_, i) => data.readUIntLE(3 * i, 3))
  return { width: info.width, height: info.height, ids }
}

const ingest = async (format: Coco | CocoPanoptic) => {
  const database = new MemoryDatabase()
  const plan = formatPlan(
    { name: "samples", format, sink: memory({ table: "t", database }) },
    { workers: { threads: 1 } },
  )
  expect((await run(plan)).items).toMatchObject({ listed: 2, done: 2, partial: 0 })
  return rowsOf(database.rows("t"))
}

describe.skipIf(root === "")("the examples of panopticapi", () => {
  it("have the same masks in both formats", async () => {
    const imagesDir = join(root, "input_images")
    const masksDir = join(root, "panoptic_examples")
    const panoptic = await ingest(
      new CocoPanoptic({ imagesDir, masksDir, annotations: join(root, "panoptic_examples.json") }),
    )
    const instancesJson = "panoptic_coco_detection_format.json"
    const detection = await ingest(new Coco({ imagesDir, annotationsDir: root, instancesJson, captionsJson: false }))
    for (const [i, row] of panoptic.entries()) {
      expect(row.mask).toEqual(new Uint8Array(await readFile(join(masksDir, String(row.mask_filename)))))
      const { ids, width, height } = await idsOf(row.mask as Uint8Array)
      const segments = JSON.parse(String(row.segments_info)) as Segment[]
      const categories = new Map(segments.map(({ id, category_id }) => [id, category_id]))
      const made = detection[i]
      expect(made).toMatchObject({ coco_image_id: row.coco_image_id, width, height, num_objects: segments.length })
      const { data, info } = await sharp(made?.mask as Uint8Array)
        .toColourspace("b-w")
        .raw()
        .toBuffer({ resolveWithObject: true })
      expect(info.channels).toBe(1)
      expect([...data]).toEqual(ids.map((id) => categories.get(id) ?? 0))
    }
  })

  it("have the same segments, and their counts are written as they were", async () => {
    const read = async (name: string) => JSON.parse(await readFile(join(root, name), "utf8"))
    const { annotations } = await read("panoptic_coco_detection_format.json")
    const { annotations: masks } = await read("panoptic_examples.json")
    let compared = 0
    for (const { image_id, file_name, segments_info } of masks) {
      const { ids, width, height } = await idsOf(await readFile(join(root, "panoptic_examples", file_name)))
      const own = annotations.filter((annotation: { image_id: number }) => annotation.image_id === image_id)
      expect(own).toHaveLength(segments_info.length)
      const ofSegment = (segment: number): string =>
        ids
          .flatMap((id, at) => (id === segment ? [(at % width) * height + Math.floor(at / width)] : []))
          .sort((a, b) => a - b)
          .join()
      const expected = new Set(segments_info.map(({ id }: Segment) => ofSegment(id)))
      for (const { segmentation } of own) {
        const [runs = new Uint32Array()] = segmentationRuns(segmentation, width, height)?.() ?? []
        const pixels: number[] = []
        for (let at = 0; at < runs.length; at += 2) {
          for (let pixel = runs[at] ?? 0; pixel < (runs[at + 1] ?? width * height); pixel++) pixels.push(pixel)
        }
        expect(expected.delete(pixels.join())).toBe(true)
        expect(encodeCounts(decodeCounts(segmentation.counts))).toBe(segmentation.counts)
        compared++
      }
      expect(expected.size).toBe(0)
    }
    expect(compared).toBeGreaterThan(30)
  })
})
