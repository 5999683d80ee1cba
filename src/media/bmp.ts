/** BMP, which sharp does not decode, through Skia. */
import type { Pixels } from "./thumbnails.ts"

/**
 * The picture of a BMP file, scaled down to fit `size` x `size` pixels so that only one copy of it is ever held in
 * full. Skia fills up what is missing of a file that was cut off: `readImageHeader` tells those, and the dimensions.
 */
export const readBmp = async (bytes: Uint8Array, size: number): Promise<Pixels> => {
  const { createCanvas, loadImage } = await import("@napi-rs/canvas")
  const image = await loadImage(bytes)
  const scale = Math.min(1, size / Math.max(image.width, image.height))
  const width = Math.max(1, Math.round(image.width * scale))
  const height = Math.max(1, Math.round(image.height * scale))
  const context = createCanvas(width, height).getContext("2d")
  context.imageSmoothingQuality = "high"
  context.drawImage(image, 0, 0, width, height)
  const { data } = context.getImageData(0, 0, width, height)
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), width, height, channels: 4 }
}
