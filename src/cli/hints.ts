/** Commands that a message proposes, as they can be typed. */
import type { Summary } from "../model/events.ts"

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** How to see why items failed or are not whole. */
export const deadLettersHint = ({ table, uri, items }: Pick<Summary, "table" | "uri" | "items">): string =>
  `sluice dead-letters ${quoted(table)}${items.partial > 0 ? " --all" : ""}${uri === "./data" ? "" : ` --uri ${quoted(uri)}`}`
