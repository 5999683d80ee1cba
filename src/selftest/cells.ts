/** What is tried: each source with each mode, into tables of small rows and of large ones. */
export const SOURCES = ["files", "tabular", "format"] as const
export const MODES = ["append", "replace", "sync"] as const
export const ROWS = ["lean", "blobs"] as const

export interface Cell {
  readonly source: (typeof SOURCES)[number]
  readonly mode: (typeof MODES)[number]
  /** Rows of text and numbers, or of pictures with their thumbnails in a side table. */
  readonly rows: (typeof ROWS)[number]
}

export const CELLS: readonly Cell[] = SOURCES.flatMap((source) =>
  MODES.flatMap((mode) => ROWS.map((rows) => ({ source, mode, rows }))),
)

export const nameOf = ({ source, mode, rows }: Cell): string => `${source}-${mode}-${rows}`

/** What the source is like when the table is first filled, and when runs into it are killed. */
export type State = "before" | "after"

/** A table has no fewer rows than this in the end: killing runs that do nothing would prove nothing. */
export const LEAST_ROWS = { lean: 100, blobs: 20 } as const
