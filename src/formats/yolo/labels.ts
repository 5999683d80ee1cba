/**
 * The lines of a YOLO label file. https://docs.ultralytics.com/datasets/detect and /segment: one object a line, its
 * class and then either `x_center y_center width height` or the corners of a polygon, `x1 y1 x2 y2 x3 y3 ...`, all as
 * fractions of the picture's width and height.
 */
import { IngestError } from "../../model/errors.ts"

export interface Objects {
  /** The class of each object. */
  readonly labels: readonly number[]
  /** Four fractions an object: centre x, centre y, width, height; of a polygon, the box around it. */
  readonly boxes: readonly number[]
  /** For each object its corners as `x1 y1 x2 y2 ...`, or null where the file has a box; null when it has no polygon. */
  readonly polygons: readonly (readonly number[] | null)[] | null
}

/** How far beyond the picture a coordinate may lie: rounding does that, and Ultralytics takes it, too. */
const BEYOND = 0.01

const around = (corners: readonly number[]): readonly number[] => {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let at = 0; at + 1 < corners.length; at += 2) {
    const [x = 0, y = 0] = [corners[at], corners[at + 1]]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
}

const FORM = 'expected "class x y width height" or "class x1 y1 x2 y2 x3 y3 ..."'

/** What is wrong with a line, or undefined. */
const problemOf = (words: readonly string[], numbers: readonly number[], classes: number | undefined) => {
  const odd = numbers.findIndex((number) => !Number.isFinite(number))
  if (odd >= 0) return `${FORM}, found ${JSON.stringify(words[odd]?.slice(0, 40))}, which is no number`
  const [label = -1, ...rest] = numbers
  if (rest.length !== 4 && (rest.length < 6 || rest.length % 2 === 1)) {
    const hint = rest.length === 5 ? " (is the sixth a confidence? predictions have one, labels do not)" : ""
    return `${FORM}, found ${numbers.length} numbers${hint}`
  }
  if (!Number.isInteger(label) || label < 0) return `expected a class, 0 or more, found ${words[0]}`
  if (classes !== undefined && label >= classes) {
    return `expected a class from 0 to ${classes - 1}, as the class names say, found ${label}`
  }
  const outside = rest.findIndex((number) => number < -BEYOND || number > 1 + BEYOND)
  if (outside >= 0) {
    return `expected fractions of the picture's size, from 0 to 1, found ${words[outside + 1]}. Divide pixels by the width or the height`
  }
  return undefined
}

/**
 * The objects of a label file, in its order. Blank lines count for nothing.
 *
 * @param name names the file in messages.
 * @param classes how many class names there are, where that is known.
 * @throws {IngestError} for the first line that does not fit, naming file and line.
 * @example
 * ```ts
 * parseLabels("0 0.5 0.5 0.2 0.1\n", "labels/a.txt").boxes // [0.5, 0.5, 0.2, 0.1]
 * ```
 */
export const parseLabels = (text: string, name: string, classes?: number): Objects => {
  const labels: number[] = []
  const boxes: number[] = []
  const polygons: (readonly number[] | null)[] = []
  let at = 0
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    at++
    const words = line.trim().split(/\s+/)
    if (words[0] === "") continue
    const numbers = words.map(Number)
    const problem = problemOf(words, numbers, classes)
    if (problem !== undefined) throw new IngestError(`${name}:${at}: ${problem}`)
    const [label = 0, ...rest] = numbers
    labels.push(label)
    boxes.push(...(rest.length === 4 ? rest : around(rest)))
    polygons.push(rest.length === 4 ? null : rest)
  }
  return { labels, boxes, polygons: polygons.some((polygon) => polygon) ? polygons : null }
}
