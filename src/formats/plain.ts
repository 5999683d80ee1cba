/**
 * Anyone's format as a feed: one item, read on the main thread, where the object is.
 *
 * A column's type is the caller's, else the format's own, else that of its first values; from then on all batches are
 * held to it. Only a whole-number column may still become FLOAT64, as long as none of its rows is committed.
 */
import { randomUUID } from "node:crypto"
import { type Batch, schemaOf } from "../model/batch.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import type { Columns, Format } from "../model/format.ts"
import { batchOfColumns } from "../model/infer.ts"
import type { Normalize } from "../model/normalizer.ts"
import { parsePgType } from "../model/pg-types.ts"
import type { ColumnType, Schema } from "../model/types.ts"

/** The types that a format declares for its columns. */
const declaredTypes = (format: Format): Map<string, ColumnType> => {
  const types = new Map<string, ColumnType>()
  for (const [name, text] of Object.entries(format.schema?.() ?? {})) types.set(name, parsePgType(text, name))
  for (const [name, text] of Object.entries(format.pg_schema?.() ?? {})) {
    const type = parsePgType(text, name)
    // A width that `schema` gives is not in a PostgreSQL type.
    if (type.name !== "EMBEDDING" || types.get(name)?.name !== "EMBEDDING") types.set(name, type)
  }
  return types
}

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ")

/** @throws {IngestError} when a batch has other columns than the first one had. */
const checkNames = (first: readonly string[], names: readonly string[]): void => {
  const missing = first.filter((name) => !names.includes(name))
  const added = names.filter((name) => !first.includes(name))
  if (missing.length + added.length === 0) return
  const found = [
    missing.length > 0 && `without ${quoted(missing)}`,
    added.length > 0 && `with ${quoted(added)} besides`,
  ]
  throw new IngestError(
    `expected the columns of batch 0 (${quoted(first)}), found a batch ${found.filter(Boolean).join(" and ")}. Yield the same columns in every batch, with null where there is no value`,
  )
}

/** What is held fixed from the first values on: all but whole numbers, which may turn out to be fractions. */
const settle = (known: Map<string, ColumnType>, batch: Batch): void => {
  for (const [name, type] of schemaOf(batch)) if (!known.has(name) && type.name !== "INT64") known.set(name, type)
}

/**
 * @param types column types that the caller asks for.
 * @throws {ConfigError} when the format declares a type that there is not.
 */
export const plainFeed = (format: Format, types: Schema): Feed => {
  const declared = new Map([...declaredTypes(format), ...types])
  const pictures =
    format.image_columns?.() ?? [...declared].flatMap(([name, type]) => (type.name === "IMAGE" ? [name] : []))
  const kind = format.constructor?.name || "format"
  const id = format.name ?? `${kind}:${randomUUID()}`

  const normalize: Normalize = async function* (item, _options, context) {
    const { withThumbnails } = await import("../media/picture-thumbnails.ts")
    const known = new Map(declared)
    let names: readonly string[] | undefined
    let firstRow = 0
    let number = 0
    for await (const columns of format.normalize()) {
      const batch = toBatch(columns, known, number, firstRow, names)
      names ??= Object.keys(columns)
      settle(known, batch)
      yield { ...(await withThumbnails(batch, pictures, { item, firstRow, ...context })), medium: kind }
      firstRow += batch.rows
      number++
    }
  }

  return {
    source: {
      name: kind,
      total: 1,
      items: async function* () {
        const resumable = format.name !== undefined && format.resumable === true
        yield { id, uri: id, version: "1", bytes: 0, ...(resumable && { resumable: true as const }) }
      },
    },
    code: { normalize, options: {} },
    route: () => ({ lane: "main", recipe: "format" }),
  }
}

const toBatch = (
  columns: Columns,
  known: Schema,
  number: number,
  firstRow: number,
  names: readonly string[] | undefined,
): Batch => {
  try {
    const batch = batchOfColumns(columns, known, firstRow)
    if (names) checkNames(names, Object.keys(columns))
    return batch
  } catch (error) {
    throw new IngestError(`Batch ${number}: ${messageOf(error)}`, { cause: error })
  }
}
