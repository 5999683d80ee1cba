/** Tables in files: Parquet, CSV, TSV and JSON Lines, of one kind or mixed, as one table. */
import { checkItem, closeItem, openItem } from "../../media/itemfile.ts"
import { ConfigError, IngestError } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import type { Normalize } from "../../model/normalizer.ts"
import { formatType, type Schema } from "../../model/types.ts"
import { columnNames } from "../../readers/describe.ts"
import type { TableFile, TableFormat } from "../../readers/file.ts"
import { type ReadColumn, readTable } from "../../readers/read.ts"
import { columnsOf } from "../standalone.ts"
import { type Tables, tableFile, tableItems } from "./items.ts"
import { type Survey, survey, tableNames } from "./survey.ts"

export interface TabularOptions {
  /** Files, folders (with everything in them) and globs. In folders, files of other kinds are left out. */
  readonly path: string | readonly string[]
  /** What all files are. Default: what their names say (.parquet, .csv, .tsv, .jsonl, .ndjson; text also .gz and .zst). */
  readonly format?: TableFormat
  /** What stands between the values of a CSV file. Default: of `,` `;` tab and `|`, what its first line has most of. */
  readonly delimiter?: string
  /** The first line of a CSV or TSV file has the names of the columns. Default: true. */
  readonly header?: boolean
  /** Names of the columns to take, as they stand in the files. Default: all. */
  readonly columns?: readonly string[]
  /** Make thumbnails of the columns that the schema says are IMAGE. Default: true. */
  readonly thumbnails?: boolean
}

/** Goes up when the rows that come out for the same file change. */
const REVISION = 1

const rangeOf = ({ payload }: Item): { readonly start: number; readonly end: number } | undefined => {
  const { start, end } = Object(payload ?? {})
  return Number.isInteger(start) && Number.isInteger(end) ? { start, end } : undefined
}

/**
 * Tables in files. The columns are those of all files together; where a file lacks one, it is null. A column has one
 * type in all of them: see docs/guide/tabular.md for how it comes about. Rows stand in the order of the files.
 *
 * @throws {ConfigError} when there is no path.
 * @example
 * ```ts
 * await new Client().ingest("trips", null, { format: new Tabular({ path: "trips/*.parquet" }) })
 * await new Client().ingest("shops", null, { format: new Tabular({ path: "shops.csv" }), schema: { zip: "TEXT" } })
 * ```
 */
export class Tabular implements ItemFormat {
  readonly #tables: Tables
  readonly #columns: readonly string[] | undefined
  readonly #thumbnails: boolean

  constructor({ path, columns, thumbnails = true, ...how }: TabularOptions) {
    const paths = typeof path === "string" ? [path] : path
    if (paths.length === 0) throw new ConfigError("Tabular: expected at least one path in `path`, found none")
    this.#tables = { paths, ...how }
    this.#columns = columns
    this.#thumbnails = thumbnails
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed(new Map()))
  }

  feed(types: Schema): Feed {
    const tables = this.#tables
    const pictures = this.#thumbnails
      ? [...types].flatMap(([name, { name: type }]) => (type === "IMAGE" ? name : []))
      : []
    let surveying: Promise<Survey> | undefined
    const recipe = recipeOf(
      "tabular",
      REVISION,
      [...types].map(([name, type]) => `${name} ${formatType(type)}`).sort(),
      [tables.format ?? null, tables.delimiter ?? null, tables.header ?? true],
      this.#columns ?? null,
      pictures.length > 0,
    )

    /** The columns to read of one file, with the types that they have in all. */
    const columnsOfFile = async (item: Item, file: TableFile, signal: AbortSignal): Promise<readonly ReadColumn[]> => {
      surveying ??= survey(tables, types, this.#columns, signal)
      const { types: settled, keys, check } = await surveying
      check(item)
      const all = file.format === "jsonl" ? keys : await columnNames(file)
      const names = tableNames(all.filter((name) => this.#columns?.includes(name) ?? true))
      if (names.size === 0) {
        throw new IngestError(`${file.path}: expected columns to read, found none of those that "columns" names`)
      }
      return [...names].map(([name, as]) => {
        const type = settled.get(as)
        return { name, as, ...(type && { type }) }
      })
    }

    const normalize: Normalize = async function* (item, _options, context) {
      const file = tableFile(tables, item.uri)
      if (!file) throw new IngestError(`Expected a table by its name, found ${item.uri}`)
      const range = rangeOf(item)
      const { withThumbnails } = await import("../../media/picture-thumbnails.ts")
      openItem(item)
      try {
        const columns = await columnsOfFile(item, file, context.signal)
        const part =
          range && (file.format === "parquet" ? { rows: range } : { bytes: { ...range, tempDir: context.tempDir } })
        let firstRow = 0
        for await (const batch of readTable(file, { columns, signal: context.signal, ...part })) {
          const rows =
            pictures.length > 0 ? await withThumbnails(batch, pictures, { item, firstRow, ...context }) : { batch }
          yield { ...rows, medium: "tabular" }
          firstRow += batch.rows
        }
        checkItem(item)
      } finally {
        closeItem(item)
      }
    }

    return {
      source: {
        name: "tabular",
        items: async function* (context) {
          // Another listing is another run, of files that may have changed since.
          surveying = undefined
          yield* tableItems(tables, context)
        },
      },
      code: { normalize, options: {} },
      // DuckDB is called from the main thread only; it has threads of its own.
      route: () => ({ lane: "main", recipe }),
    }
  }
}

export const tabular = Format.define({
  type: "tabular",
  description: "Tables in Parquet, CSV, TSV and JSON Lines files.",
  fields: {
    path: {
      type: "texts",
      description: "Files, folders (with all that is in them) and globs; relative ones from the working directory.",
    },
    format: {
      type: "choice",
      choices: ["parquet", "csv", "tsv", "jsonl"],
      optional: true,
      description: "What all files are, whatever their names say.",
    },
    delimiter: {
      type: "text",
      optional: true,
      description: "What stands between the values of a CSV file; by itself, what the first line has most of.",
    },
    header: {
      type: "boolean",
      default: true,
      description: "The first line of a CSV or TSV file has the names of the columns.",
    },
    columns: { type: "texts", optional: true, description: "Names of the columns to take; all by default." },
    thumbnails: {
      type: "boolean",
      default: true,
      description: "Make thumbnails of the columns that the schema says are IMAGE.",
    },
  },
  make: ({ columns, ...options }) =>
    new Tabular({ ...options, ...(columns !== undefined && { columns: [columns].flat() }) }),
})
