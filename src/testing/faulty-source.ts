/** A source that fails, hides items and is slow. */
import { setTimeout as sleep } from "node:timers/promises"
import { dice } from "../model/dice.ts"
import type { Item } from "../model/item.ts"
import type { Source, SourceContext } from "../model/source.ts"
import { checkShares, pick } from "./shares.ts"

export interface SourceFaults {
  /** Share of the items before which the listing breaks off with an error. Default 0. */
  readonly fail?: number
  /** Share of the items that are seen and cannot be handed over. Default 0. */
  readonly unreadable?: number
  /** Share of the items before which the listing stands still until the run is stopped. Default 0. */
  readonly hang?: number
  /** Milliseconds at most before each item. Default 0. */
  readonly delay?: number
}

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener("abort", () => resolve(), { once: true })
  })

export const faultySource = (source: Source, { delay = 0, ...shares }: SourceFaults, seed: number): Source => {
  checkShares("source", shares)
  return {
    ...source,
    items: async function* (context: SourceContext): AsyncGenerator<Item> {
      for await (const item of source.items(context)) {
        const next = dice(seed, `source ${item.id}`)
        const fault = pick(shares, next())
        if (delay > 0) await sleep(next() * delay)
        if (fault === "fail") throw new Error(`A fault on purpose: the listing broke off before ${item.id}`)
        if (fault === "hang") return stopped(context.signal)
        yield fault === "unreadable" ? { ...item, error: "a fault on purpose: the item cannot be read" } : item
      }
    },
  }
}
