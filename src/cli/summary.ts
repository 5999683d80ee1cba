/** The summary of a run, for people. */
import type { ItemCounts, Summary } from "../model/events.ts"
import { formatBytes } from "../model/units.ts"
import { formatCount, plural } from "../observe/progress-text.ts"
import { deadLettersHint } from "./hints.ts"

const headline = ({ items, rows, bytes, seconds, ending }: Summary, failures: number): string => {
  const done = `${plural(items.done, "item")}, ${plural(rows, "row")}, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`
  if (ending === "interrupted") return `interrupted: ${done}; run it again to go on`
  if (ending === "too-many-failures") return `stopped: ${plural(failures, "new failure")}; committed: ${done}`
  if (items.listed === 0) return "nothing to do: the source has no items"
  const removed = items.removed > 0 ? `; ${plural(items.removed, "vanished item")} removed` : ""
  if (removed !== "") return `done: ${done}${removed}`
  if (items.unchanged > 0 && items.unchanged === items.listed) {
    return `nothing new: ${plural(items.unchanged, "item")} ${items.unchanged === 1 ? "is" : "are"} in the table already`
  }
  if (items.done + items.empty + failures === 0) {
    return `nothing new: ${formatCount(items.unchanged)} of ${plural(items.listed, "item")} are in the table already`
  }
  return `done: ${done}`
}

const STATES: readonly (readonly [keyof ItemCounts, string])[] = [
  ["done", "done"],
  ["unchanged", "in the table already"],
  ["outdated", "outdated"],
  ["empty", "empty"],
  ["failed", "failed"],
  ["pending", "not done"],
]

const states = (items: ItemCounts): string => {
  const parts = STATES.filter(([state]) => items[state] > 0).map(
    ([state, words]) =>
      `${formatCount(items[state])} ${words}${state === "done" && items.partial > 0 ? ` (${formatCount(items.partial)} not whole)` : ""}`,
  )
  return `${formatCount(items.listed)} listed: ${parts.join(", ")}`
}

/** `failures` are those of this run, of which the first `shown` have been shown; `sink` is the name of the sink. */
export const describeSummary = (
  summary: Summary,
  { failures, shown, sink }: { readonly failures: number; readonly shown: number; readonly sink: string },
): string => {
  const { items, table, uri, version, rowsByMedium } = summary
  const lines = [headline(summary, failures)]
  if (failures > shown) lines.unshift(`... and ${formatCount(failures - shown)} more; see table ${table}__items`)
  const media = Object.entries(rowsByMedium).map(([medium, rows]) => `${medium} ${formatCount(rows)}`)
  if (media.length > 0) lines.push(`  rows:  ${media.join(", ")}`)
  if (items.listed > 0) lines.push(`  items: ${states(items)}`)
  lines.push(`  table: ${table} in ${uri}${version > 0 ? `, version ${version}` : ", not made: there were no rows"}`)
  if (items.failed + items.partial > 0) {
    const known = items.failed - failures
    const repeated = known > 0 ? ` (${formatCount(known)} of them in earlier runs; not tried again)` : ""
    const what = [items.failed > 0 && `failed${repeated}`, items.partial > 0 && "are not whole"].filter(Boolean)
    lines.push(`  which items ${what.join(" or ")}, and why, is listed by: ${deadLettersHint(summary, sink)}`)
  }
  if (items.outdated > 0) {
    lines.push(`  outdated items have changed since; their rows were left as they are (mode sync takes them in anew)`)
  }
  return lines.join("\n")
}
