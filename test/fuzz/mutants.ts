/** Damaged copies of good files: the same ones every time, and as many as are asked for. */
import { dice } from "../../src/model/dice.ts"

/** How many are made by chance. More look deeper: `FUZZ_SEEDS=50 npx vitest run test/fuzz`; then figures are printed. */
export const SEEDS = Number(process.env.FUZZ_SEEDS ?? 3)

/** Milliseconds for a test. */
export const TIMEOUT = 60_000 + SEEDS * 20_000

export interface Good {
  /** Without the extension. */
  readonly name: string
  readonly extension: string
  readonly bytes: Uint8Array
}

export interface Mutant {
  readonly name: string
  readonly bytes: Uint8Array
  /** What it was made from. */
  readonly from: Good
  readonly kind: "whole" | "cut" | "flipped" | "headed" | "renamed"
}

/** As much as most formats have before their content. */
const HEAD = 64

/** Formats keep what they are read by at their ends, within so many bytes. */
const ENDS = 256

/** Some bytes of it changed; of every third mutant mostly such at the ends. */
const flip = (bytes: Uint8Array, seed: number): Uint8Array => {
  const next = dice(seed)
  const damaged = Uint8Array.from(bytes)
  const within = seed % 3 === 0 ? Math.min(ENDS, bytes.length) : bytes.length
  for (let left = 1 + Math.floor(next() * 6); left > 0; left--) {
    const place = Math.floor(next() * within)
    const at = next() < 0.5 ? place : bytes.length - 1 - place
    // One bit leaves a letter a letter, and a number a number.
    damaged[at] = (damaged[at] ?? 0) ^ (next() < 0.5 ? 1 << Math.floor(next() * 8) : 1 + Math.floor(next() * 255))
  }
  return damaged
}

/** Where the file is cut off: at each of its parts, somewhere, and within its last bytes, where that shows least. */
const cuts = ({ length }: Uint8Array, parts: number, seeds: number): number[] => {
  const next = dice(length)
  const places = Array.from({ length: parts }, (_, part) => Math.floor((length * part) / parts))
  for (let seed = 0; seed < seeds; seed++) {
    places.push(Math.floor(length * next()), Math.max(0, length - 1 - Math.floor(8 * next())))
  }
  return [...new Set(places)].sort((a, b) => a - b)
}

/** `good` itself, cut off at each sixteenth of it and elsewhere, and with bytes that are others. */
export const mutantsOf = (good: Good, parts = 16, seeds = SEEDS): readonly Mutant[] => {
  const { name, extension, bytes } = good
  const make = (kind: Mutant["kind"], content: Uint8Array, at?: number): Mutant => ({
    name: `${name}.${kind}${at === undefined ? "" : `-${String(at).padStart(6, "0")}`}.${extension}`,
    bytes: content,
    from: good,
    kind,
  })
  return [
    make("whole", bytes),
    ...cuts(bytes, parts, seeds).map((at) => make("cut", bytes.subarray(0, at), at)),
    ...Array.from({ length: 2 * seeds }, (_, seed) => make("flipped", flip(bytes, seed), seed)),
  ]
}

/** Each file with the first bytes, and with the extension, of the one after it. */
export const swappedOf = (goods: readonly Good[]): readonly Mutant[] =>
  goods.flatMap((good, index): Mutant[] => {
    const other = goods[(index + 1) % goods.length] ?? good
    const bytes = Buffer.concat([other.bytes.subarray(0, HEAD), good.bytes.subarray(HEAD)])
    return [
      { name: `${good.name}.headed-${other.name}.${good.extension}`, bytes, from: good, kind: "headed" },
      { name: `${good.name}.renamed.${other.extension}`, bytes: good.bytes, from: good, kind: "renamed" },
    ]
  })

/** A few, of files that say little new, or take long. */
export const fewMutantsOf = (good: Good): readonly Mutant[] => mutantsOf(good, 2, Math.ceil(SEEDS / 3))
