/** The contract of a normalizer: it turns one item into column batches. */
import type { Batch } from "./batch.ts"
import { checkName } from "./fields.ts"
import type { Item, Plain } from "./item.ts"
import type { OptionSpecs } from "./options.ts"
import type { SchemaMap } from "./types.ts"

/**
 * Rows of one item. `side` holds rows of side tables that belong to them, by the side table's suffix: a batch under
 * `thumbnails` goes to `<table>__thumbnails`. A side batch has an INT32 column `_row`: the row, counted from the
 * first row of this batch, to which it belongs; in ascending order.
 */
export interface Rows {
  readonly batch: Batch
  readonly side?: Readonly<Record<string, Batch>>
  /** The medium that the item turned out to be; the summary counts rows by it. */
  readonly medium?: string
}

export interface NormalizeContext {
  /** Where this runs. Absent: with no other item beside it. */
  readonly lane?: Lane
  /** Aborted when nobody waits for the rows any more. */
  readonly signal: AbortSignal
  /** A folder for intermediate files; it is removed with the run, also after a kill. Delete your own files as you go. */
  readonly tempDir: string
  /** No item may have more bytes in memory than this. */
  readonly maxBytes: number
  /** Says that work goes on, where it takes long until the next batch: an item without progress is given up. */
  readonly progress: () => void
  /**
   * So many of the item's first rows are in the table already, as a run was cut inside of it. They are made again and
   * dropped, so what is costly about them (thumbnails) can be left out. Absent: none.
   */
  readonly skip?: number
  /** The rows are kept, but something of the item is missing: says what. May be called several times. */
  readonly partial: (message: string) => void
}

/**
 * Where a normalizer runs: on a worker thread; in a child process, for native code that can crash or hang and must
 * not take the run with it; or on the main thread, for what is in memory already.
 */
export type Lane = "thread" | "process" | "main"

/** Thrown by a normalizer that finds, looking at the content, that the item belongs to another lane. */
export class WrongLane extends Error {
  readonly lane: Lane

  constructor(lane: Lane) {
    super(`the item belongs to the lane "${lane}"`)
    this.lane = lane
  }
}

/** What a worker loads by module URL and export name, and calls for each item. */
export type Normalize = (
  item: Item,
  options: Readonly<Record<string, Plain>>,
  context: NormalizeContext,
) => AsyncIterable<Rows>

/**
 * The code that normalizes. Workers get it by reference (URL of the module, name of its export) and load it
 * themselves, so nothing is passed by closure; only the main lane takes the function itself.
 */
export type Code = (
  | { readonly module: string; readonly name: string }
  | {
      readonly normalize: Normalize
      /**
       * Called with the items that come next, while those before them are normalized: what takes long to arrive can
       * be sent for. `signal` is that of the items' own context.
       */
      readonly prepare?: (items: readonly Item[], signal: AbortSignal) => void
    }
) & {
  readonly options: Readonly<Record<string, Plain>>
}

export interface Normalizer {
  readonly kind: "normalizer"
  /** Name of the medium: its key in `normalize:`. */
  readonly name: string
  /** One sentence for `sluice list` and the reference. */
  readonly description: string
  /**
   * URL of the module that exports it: `import.meta.url`. Workers load it from there, so only those that are part of
   * Sluice go without.
   */
  readonly module?: string
  /** Goes up when the rows that come out for the same input change; then items are done again by `sync`. */
  readonly revision: number
  readonly lane: Lane
  /** File name extensions, lower case, without the dot. */
  readonly extensions: readonly string[]
  /** MIME types, as sniffed from the content, that it takes whatever the extension says. */
  readonly mimes: readonly string[]
  /** Columns in order, without the hidden ones. */
  readonly columns: SchemaMap
  /** What a user can set, with defaults. Options shape the rows: they are part of an item's version. */
  readonly options: OptionSpecs
  /** What is wrong with options that each fit by themselves but not together; undefined when nothing is. */
  readonly conflict?: (options: Readonly<Record<string, Plain>>) => string | undefined
  /**
   * Yields the item's rows in order. Throwing makes the item a dead letter; an item without rows is `empty`.
   * It loads heavy code (decoders) inside, on first use, so that importing the module stays cheap.
   */
  readonly normalize: Normalize
}

export const Normalizer = {
  /**
   * Makes a normalizer: of files that a name or a content tells from others. Export what it gives from the module that a
   * document names under `plugins:`, or give it to `normalize` of a pipeline in code.
   *
   * @throws {ConfigError} for names that documents cannot have.
   * @example
   * ```ts
   * import { readFile } from "node:fs/promises"
   * import { batchOf, int32Column, Normalizer, textColumn } from "sluice"
   *
   * export const subtitles = Normalizer.define({
   *   name: "subtitles",
   *   description: "Subtitles (.srt): a row a cue.",
   *   module: import.meta.url,
   *   revision: 1,
   *   lane: "thread",
   *   extensions: ["srt"],
   *   mimes: [],
   *   columns: { cue: "INT32", text: "TEXT" },
   *   options: {},
   *   normalize: async function* (item) {
   *     const cues = (await readFile(String(item.payload), "utf8")).trim().split(/\r?\n\r?\n/)
   *     const text = textColumn(cues.map((cue) => cue.split(/\r?\n/).slice(2).join("\n")))
   *     yield { batch: batchOf({ cue: int32Column(cues.map((_, index) => index)), text }) }
   *   },
   * })
   * ```
   */
  define: <const N extends Omit<Normalizer, "kind">>(spec: N): N & { readonly kind: "normalizer" } => {
    checkName("normalizer.name", spec.name)
    for (const name of Object.keys(spec.options)) checkName(`normalizer ${spec.name}: option`, name)
    return { ...spec, kind: "normalizer" }
  },
}
