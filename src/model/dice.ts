/** Pseudo-random numbers that are the same for the same seed, on every machine. */
import { hash64 } from "./hash-set.ts"

/** Numbers from 0 to below 1 (mulberry32). `name` tells apart what shares a seed. */
export const dice = (seed: number, name = ""): (() => number) => {
  let state = hash64(`${seed}\0${name}`).low
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
