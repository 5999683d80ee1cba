/** Which rows are in a part of a dataset, or are drawn from it. All by seed, and in the order in which they are stored. */
import { dice } from "../../model/dice.ts"
import { ConfigError } from "../../model/errors.ts"
import { range, shuffle } from "./order.ts"

/** How many rows each part gets: its share rounded down, and of those that are left over one each, from the first on. */
const partSizes = (rows: number, parts: readonly number[]): readonly number[] => {
  const sum = parts.reduce((all, part) => all + part, 0)
  if (sum === rows && parts.every((part) => Number.isInteger(part) && part >= 0)) return parts
  if (Math.abs(sum - 1) > 1e-9 || !parts.every((part) => part >= 0)) {
    throw new ConfigError(
      `randomSplit: expected fractions from 0 that make 1 together, such as [0.8, 0.2], or whole numbers that make ${rows}, found [${parts.join(", ")}]`,
    )
  }
  const sizes = parts.map((part) => Math.floor(part * rows))
  let left = rows - sizes.reduce((all, size) => all + size, 0)
  for (let at = 0; left > 0; at = (at + 1) % parts.length) {
    if (parts[at] === 0) continue
    sizes[at] = (sizes[at] ?? 0) + 1
    left--
  }
  return sizes
}

/** @throws {ConfigError} when the parts do not make the whole. */
export const splitRows = (rows: number, parts: readonly number[], seed: number): Uint32Array[] => {
  const sizes = partSizes(rows, parts)
  const order = shuffle(range(0, rows), dice(seed, "split"))
  let start = 0
  return sizes.map((size) => {
    start += size
    return order.slice(start - size, start).sort()
  })
}

const checkWeights = (rows: number, weights: ArrayLike<number>): number => {
  if (weights.length !== rows) {
    throw new ConfigError(`sampleBy: expected a weight for each of ${rows} rows, found ${weights.length}`)
  }
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const weight = weights[row] ?? Number.NaN
    if (!(weight >= 0 && weight < Infinity)) {
      throw new ConfigError(`sampleBy: expected weights from 0, found ${weight} for row ${row}`)
    }
    sum += weight
  }
  return sum
}

/**
 * Draws with replacement, at equal steps through the weights laid end to end, from where the seed says: a row whose share
 * is 2.3 draws comes two or three times, never more or less.
 */
const drawSteps = (weights: ArrayLike<number>, sum: number, size: number, next: () => number): Uint32Array => {
  const drawn = new Uint32Array(size)
  const start = next()
  let end = 0
  let count = 0
  let last = 0
  for (let row = 0; row < weights.length; row++) {
    const weight = weights[row] ?? 0
    if (weight > 0) last = row
    end += weight
    while (count < size && ((start + count) / size) * sum < end) drawn[count++] = row
  }
  // Sums of fractions are not exact, so that the last mark may lie beyond the end.
  return drawn.fill(last, count)
}

/**
 * Draws without replacement, each as if by its weight among those that are left: the rows whose keys log(u) / w are the
 * highest (Efraimidis and Spirakis, 2006).
 */
const drawOnce = (weights: ArrayLike<number>, size: number, next: () => number): Uint32Array => {
  const keys = Float64Array.from(weights, (weight) => (weight > 0 ? Math.log(1 - next()) / weight : -Infinity))
  const rows = range(0, weights.length).filter((row) => (weights[row] ?? 0) > 0)
  if (size > rows.length) {
    throw new ConfigError(
      `sampleBy: expected a size of at most ${rows.length}, the rows with a weight above 0, as none comes twice without replacement; found ${size}`,
    )
  }
  return rows
    .sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b)
    .slice(0, size)
    .sort()
}

/** @throws {ConfigError} for weights that are none, or more rows than there are to draw. */
export const sampleRows = (
  rows: number,
  weights: ArrayLike<number>,
  { size, replacement, seed }: { readonly size: number; readonly replacement: boolean; readonly seed: number },
): Uint32Array => {
  const sum = checkWeights(rows, weights)
  if (size === 0) return new Uint32Array(0)
  if (!(sum > 0)) throw new ConfigError("sampleBy: expected a weight above 0, found none")
  const next = dice(seed, "sample")
  return replacement ? drawSteps(weights, sum, size, next) : drawOnce(weights, size, next)
}
