/** The objects of a picture in one mask: each pixel holds the label of the object that is on top, 0 where none is. */
import { greyPng } from "../png.ts"

/** The runs of each part of an object (see `polygonRuns`), anew with every call. */
export type Runs = () => Iterable<Uint32Array>

export interface Segment {
  /** From 1 to 255, or 65,535 where pixels have 16 bits. */
  readonly label: number
  /** A region of many objects that were not told apart. It lies below all others. */
  readonly crowd: boolean
  readonly runs: Runs
}

/** Which of two objects that overlap is on top: the later one, or the one with fewer pixels. */
export const MASK_ORDERS = ["file", "area"] as const

export type MaskOrder = (typeof MASK_ORDERS)[number]

/** Plain data, for payloads of items. */
export type MaskShape = {
  readonly width: number
  readonly height: number
  readonly depth: 8 | 16
}

type Labels = Uint8Array | Uint16Array

const pixelsOf = ({ runs }: Segment, pixels: number): number => {
  let sum = 0
  for (const part of runs()) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at + 1] ?? pixels) - (part[at] ?? 0)
  }
  return sum
}

/** The segments from the lowest to the one on top. */
const stacked = (segments: readonly Segment[], order: MaskOrder, pixels: number): readonly Segment[] => {
  const layers = segments.map((segment) => ({ segment, area: order === "area" ? pixelsOf(segment, pixels) : 0 }))
  layers.sort((a, b) => Number(b.segment.crowd) - Number(a.segment.crowd) || b.area - a.area)
  return layers.map(({ segment }) => segment)
}

/** Pixels of a square that is turned from columns to rows at a time; it stays in the processor's nearest cache. */
const TILE = 32

/** The rows of a PNG without filters, of labels column by column. */
const linesOf = (labels: Labels, { width, height, depth }: MaskShape): Uint8Array => {
  const bytes = depth / 8
  const line = 1 + width * bytes
  const lines = new Uint8Array(height * line)
  for (let left = 0; left < width; left += TILE) {
    for (let top = 0; top < height; top += TILE) {
      const right = Math.min(left + TILE, width)
      const bottom = Math.min(top + TILE, height)
      for (let y = top; y < bottom; y++) {
        let at = y * line + 1 + left * bytes
        for (let from = left * height + y; from < right * height; from += height) {
          const label = labels[from] ?? 0
          if (bytes === 2) lines[at++] = label >>> 8
          lines[at++] = label
        }
      }
    }
  }
  return lines
}

/** Bytes of memory that making a mask takes: the labels by columns, and by rows. */
export const maskBytes = ({ width, height, depth }: MaskShape): number => 2 * width * height * (depth / 8)

/** The mask as a grey PNG whose pixel values are the labels. */
export const maskPng = (segments: readonly Segment[], order: MaskOrder, shape: MaskShape): Uint8Array => {
  const pixels = shape.width * shape.height
  const labels: Labels = shape.depth === 8 ? new Uint8Array(pixels) : new Uint16Array(pixels)
  for (const { label, runs } of stacked(segments, order, pixels)) {
    for (const part of runs()) {
      for (let at = 0; at < part.length; at += 2) labels.fill(label, part[at], part[at + 1] ?? pixels)
    }
  }
  return greyPng(linesOf(labels, shape), shape.width, shape.height, shape.depth)
}
