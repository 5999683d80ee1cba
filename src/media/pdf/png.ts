/** Pages as PNG files. */
import { loadSharp } from "../sharp.ts"
import type { Pixels } from "../thumbnails.ts"

/** Measured on 39 pages at 150 DPI: 5.8 ms and 240 KB a page; level 6 takes 10 ms for 229 KB, level 1 4.5 ms for 299. */
const LEVEL = 2

/** The pixels as an RGB PNG, without an alpha channel: pages are opaque. The file can be transferred to another thread. */
export const pngOf = async ({ data, width, height, channels }: Pixels): Promise<Uint8Array> => {
  const sharp = await loadSharp()
  const png = await sharp(data, { raw: { width, height, channels }, limitInputPixels: false })
    .removeAlpha()
    .png({ compressionLevel: LEVEL })
    .toUint8Array()
  return png.data
}
