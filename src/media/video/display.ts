/** Turns pictures the way that a video's display matrix asks for, in quarter turns and mirrorings. */
import type { Pixels } from "../thumbnails.ts"

/** Column `a b` is where a step to the right goes, `c d` a step down; each is -1, 0 or 1. */
export interface Orientation {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

const AS_IT_IS: Orientation = { a: 1, b: 0, c: 0, d: 1 }

/** Of the bytes of a display matrix: nine 32-bit numbers, the first of each row 16.16 (ISO/IEC 14496-12, 6.2.2). */
export const orientationOf = (matrix: Uint8Array | null): Orientation => {
  if (!matrix || matrix.length < 36) return AS_IT_IS
  const view = new DataView(matrix.buffer, matrix.byteOffset, matrix.byteLength)
  // FFmpeg hands the numbers over in the machine's own order, and it runs on little-endian machines only.
  const direction = (index: number): number =>
    Math.round(Math.max(-1, Math.min(1, view.getInt32(index * 4, true) / 65536)))
  const [a, b, c, d] = [direction(0), direction(1), direction(3), direction(4)]
  // Turns by other angles have no upright rectangle: the picture stays as it is.
  return Math.abs(a * d - b * c) === 1 && a * c + b * d === 0 && Math.abs(a) + Math.abs(b) === 1
    ? { a, b, c, d }
    : AS_IT_IS
}

export const upright = (pixels: Pixels, { a, b, c, d }: Orientation): Pixels => {
  if (a === 1 && d === 1) return pixels
  const { data, width, height, channels } = pixels
  const [turnedWidth, turnedHeight] = a === 0 ? [height, width] : [width, height]
  const turned = new Uint8Array(data.length)
  const left = (a < 0 ? width - 1 : 0) + (c < 0 ? height - 1 : 0)
  const top = (b < 0 ? width - 1 : 0) + (d < 0 ? height - 1 : 0)
  let from = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = ((top + b * x + d * y) * turnedWidth + left + a * x + c * y) * channels
      for (let channel = 0; channel < channels; channel++) turned[to + channel] = data[from++] ?? 0
    }
  }
  return { data: turned, width: turnedWidth, height: turnedHeight, channels }
}
