/** Damaged pictures of every format, with thumbnails, which decode them, and without. */
import sharp, { type Sharp } from "sharp"
import { expect, it } from "vitest"
import { dice } from "../../src/model/dice.ts"
import { animatedGif, bmp, svg } from "../fixtures/image.ts"
import { type Good, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, lostOnes, runFiles, silentOnes } from "./outcomes.ts"

const WIDTH = 64
const HEIGHT = 48

const noise = (): Sharp => {
  const next = dice(1)
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) => (at % 7) * 20 + next() * 100)
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
}

const good = async (name: string, extension: string, bytes: Uint8Array | Promise<Uint8Array>): Promise<Good> => ({
  name,
  extension,
  bytes: await bytes,
})

const GOODS = await Promise.all([
  good("png", "png", noise().png().toBuffer()),
  good("interlaced", "png", noise().png({ progressive: true }).toBuffer()),
  good("jpeg", "jpg", noise().jpeg().toBuffer()),
  good("progressive", "jpeg", noise().jpeg({ progressive: true }).toBuffer()),
  good("lossy", "webp", noise().webp().toBuffer()),
  good("lossless", "webp", noise().webp({ lossless: true }).toBuffer()),
  good("still", "gif", noise().gif().toBuffer()),
  good("animated", "gif", animatedGif()),
  good("packed", "tiff", noise().tiff({ compression: "deflate" }).toBuffer()),
  good("plain", "tif", noise().tiff({ compression: "none" }).toBuffer()),
  good("bmp", "bmp", bmp(WIDTH, HEIGHT)),
  good("avif", "avif", noise().avif({ effort: 0 }).toBuffer()),
  good("svg", "svg", svg(WIDTH, HEIGHT, '<rect width="40" height="20" fill="red"/><circle r="9"/>')),
])

const MUTANTS = [...GOODS.flatMap((one) => mutantsOf(one)), ...swappedOf(GOODS)]

it.each([[true], [false]])(
  "are rows or one record each, and none that is cut off passes for whole (thumbnails: %s)",
  async (thumbnails) => {
    const ran = await runFiles(`pictures, thumbnails: ${thumbnails}`, MUTANTS, { image: { thumbnails } })
    checkRun(ran, MUTANTS)
    expect(silentOnes(ran, MUTANTS)).toEqual([])
    expect(lostOnes(ran, MUTANTS)).toEqual([])
  },
  TIMEOUT,
)
