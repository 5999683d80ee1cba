/** A sink that fails before it has done what it was asked for, or after, and is slow. */
import { setTimeout as sleep } from "node:timers/promises"
import { dice } from "../model/dice.ts"
import { FatalError } from "../model/errors.ts"
import type { Sink, Writer } from "../model/sink.ts"
import { checkShares, pick } from "./shares.ts"

export interface SinkFaults {
  /** Share of the calls that fail with nothing done. Default 0. */
  readonly fail?: number
  /** Share of the calls that do what they are asked for, and fail all the same: a lost reply. Default 0. */
  readonly lostReply?: number
  /** Milliseconds at most before each call. Default 0. */
  readonly delay?: number
}

type Guard = <Result>(what: string, call: () => Promise<Result>) => Promise<Result>

/** What is not said here is the writer's own. */
const guarded = (writer: Writer, guard: Guard): Writer => {
  const calls: Partial<Writer> = {
    side: async (name) => guarded(await writer.side(name), guard),
    write: (batch) => guard("write", () => writer.write(batch)),
    commit: () => guard("commit", () => writer.commit()),
    overwrite: () => guard("overwrite", () => writer.overwrite()),
    remove: (filter) => guard("remove", () => writer.remove(filter)),
    maintain: () => guard("maintain", () => writer.maintain()),
    finish: () => guard("finish", () => writer.finish()),
  }
  return Object.assign(Object.create(writer) as Writer, calls)
}

export const faultySink = (sink: Sink, { delay = 0, ...shares }: SinkFaults, seed: number): Sink => {
  checkShares("sink", shares)
  const next = dice(seed, "sink")
  const guard: Guard = async (what, call) => {
    if (delay > 0) await sleep(next() * delay)
    const fault = pick(shares, next())
    if (fault === "fail") throw new FatalError(`A fault on purpose: ${what} failed with nothing done`)
    const result = await call()
    if (fault === "lostReply") throw new FatalError(`A fault on purpose: ${what} was done, and its reply was lost`)
    return result
  }
  return { ...sink, open: async (how) => guarded(await sink.open(how), guard) }
}
