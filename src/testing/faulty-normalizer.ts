/** A normalizer that fails, hangs, dies and is slow. It runs where the one runs that it stands before. */
import { setTimeout as sleep } from "node:timers/promises"
import { dice } from "../model/dice.ts"
import type { Feed } from "../model/feed.ts"
import { loadCode } from "../model/load-code.ts"
import type { Code, Normalize } from "../model/normalizer.ts"
import { checkShares, pick } from "./shares.ts"

export interface NormalizerFaults {
  /** Share of the items that throw. Default 0. */
  readonly fail?: number
  /** Share of the items that wait for what never comes. Default 0. */
  readonly hang?: number
  /** Share of the items that compute for ever: nothing but the end of their worker stops them. Default 0. */
  readonly spin?: number
  /** Share of the items that end the process or thread that they are in. Default 0. */
  readonly die?: number
  /** Share of the items that say that something of them is missing. Default 0. */
  readonly partial?: number
  /** Milliseconds at most before each batch. Default 0. */
  readonly delay?: number
}

/** A fault comes after at most so many batches of its item. */
const MOST_BATCHES = 4

const strike = async (fault: keyof NormalizerFaults, id: string): Promise<void> => {
  switch (fault) {
    case "fail":
      throw new Error(`A fault on purpose: ${id} cannot be normalized`)
    case "hang":
      // A timer keeps a process alive that has nothing else to do.
      return new Promise(() => setInterval(() => {}, 60_000))
    case "spin":
      for (;;);
    case "die":
      process.exit(1)
  }
}

const faulty = (inner: Code, { delay = 0, ...shares }: NormalizerFaults, seed: number): Normalize =>
  async function* (item, options, context) {
    const normalize = await loadCode(inner)
    const next = dice(seed, `normalizer ${item.id}`)
    const fault = pick(shares, next())
    let left = Math.floor(next() * MOST_BATCHES)
    if (fault === "partial") context.partial("a fault on purpose: something is said to be missing")
    for await (const rows of normalize(item, { ...inner.options, lane: options.lane ?? null }, context)) {
      if (fault && left-- === 0) await strike(fault, item.id)
      if (delay > 0) await sleep(next() * delay)
      yield rows
    }
    if (fault && left >= 0) await strike(fault, item.id)
  }

interface FaultyOptions {
  readonly code: Code
  readonly faults: NormalizerFaults
  readonly seed: number
}

/** What workers load. */
export const normalizeFaulty: Normalize = (item, { lane = null, ...rest }, context) => {
  const { code, faults, seed } = rest as unknown as FaultyOptions
  return faulty(code, faults, seed)(item, { lane }, context)
}

/** Items keep their versions: what comes out in the end is the same table. */
export const faultyFeed = (feed: Feed, faults: NormalizerFaults, seed: number): Feed => {
  const { delay: _, ...shares } = faults
  checkShares("normalizer", shares)
  const { code } = feed
  if ("normalize" in code) {
    return { ...feed, code: { ...code, normalize: faulty(code, faults, seed) } }
  }
  const inner = { module: code.module, name: code.name, options: code.options }
  const options = { code: inner, faults: { ...faults }, seed }
  return { ...feed, code: { module: import.meta.url, name: "normalizeFaulty", options } }
}
