/** COCO annotation files for the benches, of the shape and the sizes of the real ones. */

import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { dice } from "../src/model/dice.ts"

/** A ring of points around (x, y): what people draw around an object. */
export const outline = (x: number, y: number, radius: number, points: number, next: () => number): number[] => {
  const polygon: number[] = []
  for (let i = 0; i < points; i++) {
    const angle = (i / points) * 2 * Math.PI
    const reach = radius * (0.6 + 0.4 * next())
    polygon.push(
      Math.round((x + reach * Math.cos(angle)) * 100) / 100,
      Math.round((y + reach * Math.sin(angle)) * 100) / 100,
    )
  }
  return polygon
}

export interface Size {
  readonly images: number
  readonly objects: number
  readonly captions: number
  /** Points of a polygon; the real files have 25 on average. */
  readonly points: number
}

export const VAL2017: Size = { images: 5000, objects: 36_781, captions: 25_000, points: 25 }
export const TRAIN2017: Size = { images: 118_287, objects: 860_001, captions: 591_753, points: 25 }

const writeJson = async (path: string, parts: Iterable<string>): Promise<void> => {
  const file = createWriteStream(path)
  let text = ""
  for (const part of parts) {
    text += part
    if (text.length < 1 << 20) continue
    if (!file.write(text)) await once(file, "drain")
    text = ""
  }
  file.end(text)
  await once(file, "finish")
}

function* list(count: number, entry: (index: number) => unknown): Generator<string> {
  for (let i = 0; i < count; i++) yield (i === 0 ? "" : ",") + JSON.stringify(entry(i))
}

const imageId = (index: number): number => 139 + index * 5

/** An instances file and a captions file; annotations come in no order of their images, as in the real ones. */
export const writeAnnotations = async (instances: string, captions: string, size: Size): Promise<void> => {
  const next = dice(3)
  const image = (index: number) => {
    const file_name = `${String(imageId(index)).padStart(12, "0")}.jpg`
    return {
      license: 4,
      file_name,
      coco_url: `http://images.cocodataset.org/val2017/${file_name}`,
      height: 480,
      width: 640,
      date_captured: "2013-11-14 17:02:52",
      id: imageId(index),
    }
  }
  const any = () => imageId(Math.floor(next() * size.images))
  const instance = (index: number) => {
    const [x, y, radius] = [next() * 640, next() * 480, 10 + next() * 100]
    const segmentation = [outline(x, y, radius, Math.round(size.points * (0.4 + 1.2 * next())), next)]
    const bbox = [x - radius, y - radius, 2 * radius, 2 * radius].map((value) => Math.round(value * 100) / 100)
    return {
      segmentation,
      area: Math.round(radius * radius * 3e4) / 1e4,
      iscrowd: 0,
      image_id: any(),
      bbox,
      category_id: 1 + Math.floor(next() * 90),
      id: index + 1,
    }
  }
  const caption = (index: number) => ({
    image_id: any(),
    id: index,
    caption: "A person stands beside a large wheel at the water and looks at it.",
  })
  const categories = JSON.stringify(
    Array.from({ length: 90 }, (_, i) => ({ supercategory: "thing", id: i + 1, name: `thing ${i + 1}` })),
  )
  await writeJson(
    instances,
    (function* () {
      yield '{"info":{"description":"generated"},"licenses":[],"images":['
      yield* list(size.images, image)
      yield '],"annotations":['
      yield* list(size.objects, instance)
      yield `],"categories":${categories}}`
    })(),
  )
  await writeJson(
    captions,
    (function* () {
      yield '{"info":{"description":"generated"},"licenses":[],"images":['
      yield* list(size.images, image)
      yield '],"annotations":['
      yield* list(size.captions, caption)
      yield "]}"
    })(),
  )
}
