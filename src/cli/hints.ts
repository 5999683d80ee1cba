/** Commands that a message proposes, as they can be typed. */
import { join } from "node:path"
import type { Summary } from "../model/events.ts"

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/**
 * How to see why items failed, of a table that a sink of the given name wrote. A table without any good item was not
 * made; its table of items was.
 */
export const failuresHint = (
  { table, uri, version }: Pick<Summary, "table" | "uri" | "version">,
  sink: string,
): string => {
  if (sink === "parquet") return `the Parquet files in ${join(uri, `${table}__items`)}`
  return `sluice inspect ${quoted(version > 0 ? table : `${table}__items`)}${uri === "./data" ? "" : ` --uri ${quoted(uri)}`}`
}
