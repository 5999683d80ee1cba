/** Masks of 640 x 480 pixels with 10 polygons each, drawn and encoded, on one thread. */
import { setTimeout as sleep } from "node:timers/promises"
import sharp from "sharp"
import { maskPng } from "../src/media/mask/labels.ts"
import { segmentationRuns } from "../src/media/mask/segmentation.ts"
import { dice } from "../src/model/dice.ts"
import { referencePixels } from "../test/fixtures/coco-reference.ts"
import { outline } from "./coco-inputs.ts"
import type { Question } from "./harness.ts"

const MASKS = 1000
const WIDTH = 640
const HEIGHT = 480
const OBJECTS = 10

/** The polygons of each mask: of the sizes and with the points that COCO has. */
function* scenes(): Generator<number[][]> {
  const next = dice(11)
  for (let i = 0; i < MASKS; i++) {
    yield Array.from({ length: OBJECTS }, () =>
      outline(next() * WIDTH, next() * HEIGHT, 15 + next() * 120, 10 + Math.floor(next() * 60), next),
    )
  }
}

const question: Question = {
  title: `masks: ${MASKS} of ${WIDTH} x ${HEIGHT} with ${OBJECTS} polygons`,
  prepare: async () => {},
  variants: {
    sluice: async () => {
      let bytes = 0
      for (const polygons of scenes()) {
        const segments = polygons.flatMap((polygon, i) => {
          const runs = segmentationRuns([polygon], WIDTH, HEIGHT)
          return runs ? [{ label: i + 1, crowd: false, runs }] : []
        })
        bytes += maskPng(segments, "file", { width: WIDTH, height: HEIGHT, depth: 8 }).length
      }
      return bytes
    },
    "200 a second": () => sleep((MASKS / 200) * 1000),
    "every step of the boundary, sharp": async () => {
      sharp.cache(false)
      sharp.concurrency(1)
      for (const polygons of scenes()) {
        const labels = Buffer.alloc(WIDTH * HEIGHT)
        for (const [i, polygon] of polygons.entries()) {
          const pixels = referencePixels(polygon, WIDTH, HEIGHT)
          for (let at = 0; at < pixels.length; at++) {
            if (pixels[at]) labels[(at % HEIGHT) * WIDTH + Math.floor(at / HEIGHT)] = i + 1
          }
        }
        await sharp(labels, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
          .png()
          .toBuffer()
      }
    },
  },
  goals: { "200 a second": 1 },
}

export default question
