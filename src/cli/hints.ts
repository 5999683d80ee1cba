/** Commands that a message proposes, as they can be typed. */
import { join } from "node:path"
import type { Summary } from "../model/events.ts"

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** How to see why items failed or are not whole, of a table that a sink of the given name wrote. */
export const deadLettersHint = (
  { table, uri, items }: Pick<Summary, "table" | "uri" | "items">,
  sink: string,
): string =>
  sink === "parquet"
    ? `the Parquet files in ${join(uri, `${table}__items`)}`
    : `sluice dead-letters ${quoted(table)}${items.partial > 0 ? " --all" : ""}${uri === "./data" ? "" : ` --uri ${quoted(uri)}`}`
