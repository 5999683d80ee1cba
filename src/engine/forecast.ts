/** What a run would do: the source is listed and compared with the table, and nothing is written. */
import { versionOf } from "../model/feed.ts"
import type { Item } from "../model/item.ts"
import { readLedger, type Standing } from "./ledger.ts"
import { isDoneAgain } from "./listing.ts"
import type { Plan } from "./plan.ts"
import { refusal, Seen, unlistedItems } from "./vanished.ts"

/** Items that stand alike. */
export interface Share {
  readonly items: number
  /** Their size, as far as the source knows it; that of vanished items is not known, and 0. */
  readonly bytes: number
  /** The ids of the first five. */
  readonly examples: readonly string[]
}

/**
 * How an item stands before a run:
 * - `new`, `changed`: the run would do them
 * - `retried`: known to have failed; the run would try them again
 * - `unreadable`: the run would record them as failed
 * - `unchanged`: in the table at this version
 * - `outdated`: in the table at another version, which the mode leaves as it is
 * - `failed`, `empty`: known to have no rows; left alone
 * - `vanished`: in the table and not in the source; `sync` removes them, within `max_delete_ratio`
 */
export const PROSPECTS = [
  "new",
  "changed",
  "retried",
  "unreadable",
  "unchanged",
  "outdated",
  "failed",
  "empty",
  "vanished",
] as const

export type Prospect = (typeof PROSPECTS)[number]

export interface Forecast {
  /** For every prospect, how many items have it. */
  readonly shares: Readonly<Record<Prospect, Share>>
  /** What the source had to say. */
  readonly warnings: readonly string[]
  /** Why `sync` would not remove the vanished items; undefined when it would, or there are none, or in other modes. */
  readonly kept: string | undefined
}

const EXAMPLES = 5

const prospectOf = (item: Item, standing: Standing, plan: Plan): Prospect => {
  const due = standing === "new" || isDoneAgain(standing, plan)
  if (due && item.error !== undefined) return "unreadable"
  if (standing === "new") return "new"
  if (standing === "done") return "unchanged"
  if (standing === "failed") return due ? "retried" : "failed"
  if (standing === "outdated") return due ? "changed" : "outdated"
  return standing
}

/**
 * What a run of the plan would do: lists the source and compares it with the table. No item is read, and nothing is
 * written. Takes no lock: it may be called while a run goes on, and then shows the table at its last commit.
 *
 * @param signal aborting it ends the listing; the forecast then rejects with the signal's reason.
 * @throws what the source throws when it cannot be listed, such as {ConfigError} for a dataset that there is not.
 * @throws {ConfigError} when the table's `uri` is no local folder.
 * @example
 * ```ts
 * const source = files({ include: "./docs" })
 * const plan = filesPlan({ name: "docs", source, sink: lance({ uri: "./data", table: "docs" }) }, { mode: "sync" })
 * const { shares, kept } = await forecast(plan)
 * console.log(`${shares.new.items} new, ${shares.changed.items} changed, such as ${shares.changed.examples[0]}`)
 * if (shares.vanished.items > 0) console.log(kept ?? `${shares.vanished.items} are to be removed`)
 * ```
 */
export const forecast = async (plan: Plan, signal: AbortSignal = new AbortController().signal): Promise<Forecast> => {
  const shares = new Map<Prospect, { items: number; bytes: number; examples: string[] }>()
  const count = (prospect: Prospect, name: string, bytes: number): void => {
    const share = shares.get(prospect) ?? { items: 0, bytes: 0, examples: [] }
    shares.set(prospect, share)
    share.items++
    share.bytes += bytes
    if (share.examples.length < EXAMPLES) share.examples.push(name)
  }
  const warnings: string[] = []
  const reader = await plan.sink.view()
  try {
    if (plan.mode === "error" && reader.version > 0) {
      warnings.push(`The table ${JSON.stringify(plan.sink.table)} exists; in mode "error" the run would refuse it`)
    }
    const ledger = await readLedger(reader, { ignore: plan.mode === "replace" })
    const seen = new Seen()
    for await (const item of plan.feed.source.items({ signal, warn: (message) => warnings.push(message) })) {
      const standing = ledger.standing(item.id, versionOf(item, plan.feed.route(item)))
      seen.add(item, false)
      count(prospectOf(item, standing, plan), item.id, item.bytes)
    }
    // A source may end its listing without a word: what it has not listed has not vanished.
    signal.throwIfAborted()
    for await (const name of unlistedItems(reader, seen)) count("vanished", name, 0)
    const vanished = shares.get("vanished")?.items ?? 0
    const kept =
      plan.mode === "sync" && vanished > 0 ? refusal(seen, vanished, ledger.items, plan.maxDeleteRatio) : undefined
    const none: Share = { items: 0, bytes: 0, examples: [] }
    const all = Object.fromEntries(PROSPECTS.map((prospect) => [prospect, shares.get(prospect) ?? none]))
    return { shares: all as Record<Prospect, Share>, warnings, kept }
  } finally {
    await reader.close()
  }
}
