/** The contract of a source. */
import type { Item } from "./item.ts"

export interface SourceContext {
  /** Aborted when the run stops; the listing should end soon after. */
  readonly signal: AbortSignal
  /** Says something that a person should know and that is no failure, such as "3 symbolic links were not followed". */
  readonly warn: (message: string) => void
}

export interface Source {
  readonly name: string
  /**
   * Lists the items in an order that is the same every time. Nothing is read but what the listing needs, and no
   * more than a folder (or a page) of it is held at once. What exists but cannot be listed is an item with `error`.
   */
  items(context: SourceContext): AsyncIterable<Item>
  /** How many items there will be, where that is known without listing them; progress shows it. */
  readonly total?: number
  /** Requests that were made again since the source was made, where it makes any. */
  readonly retries?: () => number
}
