/** The example pipelines of the COCO formats, as they are, through the command line. */
import { readFile, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { beforeAll, describe, expect, it, vi } from "vitest"
import { boxObject, CATEGORIES, fileName, imagesOf, panopticMask, writeJson, writePictures } from "../fixtures/coco.ts"
import { loadPipeline, parsePipeline } from "../fixtures/pipeline.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each test starts several processes; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const COUNT = 150

let cwd = ""

beforeAll(async () => {
  cwd = await tempFolder()
  const images = imagesOf(COUNT)
  const annotations = join(cwd, "coco/annotations")
  await writePictures(join(cwd, "coco/val2017"), images)
  const objects = images.map((image, i) => boxObject(i, Number(image.id), 1 + 17 * (i % 2), [i % 20, 3, 10, 10]))
  await writeJson(annotations, "instances_val2017.json", { images, annotations: objects, categories: CATEGORIES })
  const captions = images.map((image, i) => ({ id: i, image_id: image.id, caption: `Picture ${i}.` }))
  await writeJson(annotations, "captions_val2017.json", { images, annotations: captions })
  const masks = images.map((image, i) => ({
    image_id: image.id,
    file_name: `${i}.png`,
    segments_info: [{ id: i + 1, category_id: 1, iscrowd: 0, area: 30 }],
  }))
  await writeJson(annotations, "panoptic_val2017.json", { images, annotations: masks, categories: CATEGORIES })
  await writeJson(join(annotations, "panoptic_val2017"), "readme.json", {})
  for (let i = 0; i < COUNT; i++) {
    await writeFile(join(annotations, `panoptic_val2017/${i}.png`), await panopticMask([i + 1]))
  }
})

const command = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await sluice(args, { cwd })
  expect(code, stderr).toBe(0)
  return stdout
}

describe("pipelines/coco.yaml", () => {
  const file = resolve("pipelines/coco.yaml")

  it("makes a table, and finds nothing new the second time", async () => {
    const first = JSON.parse(await command("run", file, "--json"))
    expect(first).toMatchObject({ table: "coco", rows: COUNT, rowsByMedium: { coco: COUNT }, warnings: [] })
    const again = JSON.parse(await command("run", file, "--json"))
    expect(again.items).toMatchObject({ listed: COUNT, done: 0, unchanged: COUNT })
    expect(await command("inspect", "coco")).toMatch(/^boxes +BOUNDING_BOX /m)

    await command("export", "coco", "masks", "--column", "mask")
    const mask = await readFile(join(cwd, `masks/val2017_${fileName(7)}-0.png`))
    expect(mask.subarray(1, 4).toString()).toBe("PNG")
    await command("export", "coco", "captions", "--column", "captions")
    expect(await readFile(join(cwd, `captions/val2017_${fileName(7)}-0.json`), "utf8")).toBe('["Picture 7."]')
  })

  it("goes without captions when told so, also by a variable", async () => {
    const { document } = await loadPipeline(file, {}, ["format.captions_json=false"])
    expect(document.format).toMatchObject({ type: "coco", captions_json: false })
    const own = (captions: string): string =>
      `version: 1\nname: a\nformat: { type: coco, images_dir: a, captions_json: ${captions} }\nsink: { type: memory, table: t }\n`
    const captionsOf = async (text: string) =>
      (await parsePipeline(own(text), "p.yaml", { CAPTIONS: "false" })).document.format
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what variables in documents look like
    for (const text of ["false", '"${CAPTIONS}"'])
      expect(await captionsOf(text)).toMatchObject({ captions_json: false })
    expect(await captionsOf("mine.json")).toMatchObject({ captions_json: "mine.json" })
    await expect(captionsOf("true")).rejects.toThrow("format.captions_json: expected text or false, found true")
    const table = ["--set", "sink.table=small", "--set", "format.max_images=5", "--set", "format.captions_json=false"]
    expect(JSON.parse(await command("run", file, "--json", ...table)).rows).toBe(5)
    await command("export", "small", "none", "--column", "captions")
    expect(await readFile(join(cwd, `none/val2017_${fileName(0)}-0.json`), "utf8")).toBe("[]")
  })
})

describe("pipelines/coco-panoptic.yaml", () => {
  it("makes a table whose masks are the files", async () => {
    const file = resolve("pipelines/coco-panoptic.yaml")
    expect(JSON.parse(await command("run", file, "--json"))).toMatchObject({
      ...{ table: "coco_panoptic", rows: COUNT, rowsByMedium: { coco_panoptic: COUNT } },
    })
    expect(JSON.parse(await command("run", file, "--json")).items).toMatchObject({ unchanged: COUNT })
    await command("export", "coco_panoptic", "panoptic", "--column", "mask")
    for (const i of [0, 70, COUNT - 1]) {
      const exported = await readFile(join(cwd, `panoptic/val2017_${fileName(i)}-0.png`))
      expect(exported).toEqual(await readFile(join(cwd, `coco/annotations/panoptic_val2017/${i}.png`)))
    }
  })
})
