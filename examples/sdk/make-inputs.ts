/** Makes the files that the examples beside it read: `make-inputs.ts FOLDER`. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import {
  boxObject,
  CATEGORIES,
  fileName,
  imagesOf,
  panopticMask,
  writeJson,
  writePictures,
} from "../../test/fixtures/coco.ts"
import { writeLeRobot } from "../../test/fixtures/lerobot.ts"
import { pdfOf } from "../../test/fixtures/pdf.ts"
import { writeVideo } from "../../test/fixtures/video.ts"

const IMAGES = 12

/** Panoptic segments: columns of pixels that belong to the segments 7 and 9, and one to none. */
const makePanoptic = async (folder: string): Promise<void> => {
  const masks = join(folder, "panoptic_val2017")
  await mkdir(masks, { recursive: true })
  const annotations = []
  for (let image = 0; image < IMAGES; image++) {
    const file_name = fileName(image).replace(".jpg", ".png")
    await writeFile(join(masks, file_name), await panopticMask([7, 7, 9, 0]))
    const segment = { bbox: [0, 0, 1, 1], area: 1, iscrowd: 0 }
    const segments_info = [
      { id: 7, category_id: 1, ...segment },
      { id: 9, category_id: 18, ...segment },
    ]
    annotations.push({ image_id: 100 + image, file_name, segments_info })
  }
  await writeJson(join(folder, "annotations"), "panoptic_val2017.json", {
    images: imagesOf(IMAGES),
    annotations,
    categories: CATEGORIES,
  })
}

/** As many objects as the image's number, and a caption each. */
const makeDetection = async (folder: string): Promise<void> => {
  const images = imagesOf(IMAGES)
  await writePictures(join(folder, "val2017"), images)
  const objects = images.flatMap((_, image) =>
    Array.from({ length: image + 1 }, (_, at) => boxObject(100 * image + at, 100 + image, 18, [at, at, 5, 5])),
  )
  const captions = images.map((_, image) => ({
    id: image,
    image_id: 100 + image,
    caption: `A picture of ${image + 1}`,
  }))
  const annotations = join(folder, "annotations")
  await writeJson(annotations, "instances_val2017.json", { images, annotations: objects, categories: CATEGORIES })
  await writeJson(annotations, "captions_val2017.json", { images, annotations: captions, categories: CATEGORIES })
}

const PAGES = ["Contents", "Before the installation", "The installation of the gate", "Care"]

const [folder] = process.argv.slice(2)
if (!folder) throw new Error("expected the folder to make")
await mkdir(folder, { recursive: true })
await Promise.all([
  writeFile(join(folder, "report.txt"), "The gate was opened at dawn. ".repeat(100)),
  writeFile(join(folder, "manual1.pdf"), pdfOf(PAGES.map((text) => ({ text })))),
  writeFile(join(folder, "manual2.pdf"), pdfOf([{ text: "Spare parts" }])),
  makePanoptic(join(folder, "coco")),
  makeDetection(join(folder, "coco")),
  writeLeRobot(join(folder, "droid"), "v2.0"),
])
writeVideo(join(folder, "camera1.mp4"), { seconds: 75, fps: 5 })
writeVideo(join(folder, "camera2.mp4"), { seconds: 15, fps: 5 })
