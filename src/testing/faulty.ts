/** Faults on purpose: how a pipeline behaves when its parts fail can be tried before they do. */
import type { Plan } from "../engine/plan.ts"
import { faultyFeed, type NormalizerFaults } from "./faulty-normalizer.ts"
import { faultySink, type SinkFaults } from "./faulty-sink.ts"
import { faultySource, type SourceFaults } from "./faulty-source.ts"

export interface Faults {
  /** The same seed gives the same faults at the same items. Default 1. */
  readonly seed?: number
  readonly source?: SourceFaults
  readonly normalizer?: NormalizerFaults
  readonly sink?: SinkFaults
}

/**
 * The plan with parts that fail now and then. Items keep their versions, so runs with faults, other faults and none may
 * follow one another into one table; once a run without faults has ended (with `failed: "retry"`, where items were made
 * to fail), the table is the one that there would be without any.
 *
 * @throws {ConfigError} when shares are no numbers from 0 to 1, or more than 1 together.
 * @example
 * ```ts
 * import { filesPlan, files, lance, run } from "sluice"
 * import { faulty } from "sluice/testing"
 *
 * const plan = filesPlan(
 *   { name: "docs", source: files({ include: "./docs" }), sink: lance({ uri: "./data", table: "docs" }) },
 *   { failed: "retry" },
 * )
 * for (let seed = 1; seed <= 10; seed++) {
 *   await run(faulty(plan, { seed, normalizer: { fail: 0.1, die: 0.02 }, sink: { lostReply: 0.05 } })).catch(() => {})
 * }
 * const summary = await run(plan)
 * if (summary.items.failed > 0) throw new Error("the table is not whole")
 * ```
 */
export const faulty = (plan: Plan, { seed = 1, source, normalizer, sink }: Faults): Plan => {
  const feed = normalizer ? faultyFeed(plan.feed, normalizer, seed) : plan.feed
  return {
    ...plan,
    feed: source ? { ...feed, source: faultySource(feed.source, source, seed) } : feed,
    sink: sink ? faultySink(plan.sink, sink, seed) : plan.sink,
  }
}
