/** Commands that a message proposes, as they can be typed. */
import type { Summary } from "../model/events.ts"

const quoted = (text: string): string => (/^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)

/** How to see why items failed. A table without any good item was not made; its table of items was. */
export const inspectHint = ({ table, uri, version }: Pick<Summary, "table" | "uri" | "version">): string =>
  `sluice inspect ${quoted(version > 0 ? table : `${table}__items`)}${uri === "./data" ? "" : ` --uri ${quoted(uri)}`}`
