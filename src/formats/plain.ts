/**
 * Anyone's format as a feed: one item, read on the main thread, where the object is.
 *
 * A column's type is the caller's, else the format's own, else that of its first values; from then on all batches are
 * held to it. Only a whole-number column may still become FLOAT64, as long as none of its rows is committed.
 */
import { randomUUID } from "node:crypto"
import type { Batch } from "../model/batch.ts"
import type { Column } from "../model/column.ts"
import { describeValue } from "../model/describe.ts"
import { ConfigError, FatalError, IngestError, isFatal, messageOf } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import type { Columns, Format } from "../model/format.ts"
import { batchOfColumns, columnOf } from "../model/infer.ts"
import type { Normalize } from "../model/normalizer.ts"
import { parsePgType } from "../model/pg-types.ts"
import { type ColumnType, isOpen, type Schema, type TypeName } from "../model/types.ts"

/** @throws {ConfigError} for what is no format, whatever the compiler was told. */
export const checkFormat = (format: Format): void => {
  if (typeof format === "function") {
    const { name } = format as { readonly name: string }
    throw new ConfigError(`format: expected an object, found the class ${name}; give one of it: new ${name}(...)`)
  }
  if (typeof format?.normalize !== "function") {
    throw new ConfigError(`format: expected an object with a method normalize(), found ${describeValue(format)}`)
  }
  if (format.name === "") throw new ConfigError("format.name: expected a name, found empty text; leave it out instead")
}

/** The types that a format declares for its columns. */
const declaredTypes = (format: Format): Map<string, ColumnType> => {
  const types = new Map<string, ColumnType>()
  for (const [name, text] of Object.entries({ ...format.columnTypes, ...format.schema?.() }))
    types.set(name, parsePgType(text, name))
  for (const [name, text] of Object.entries(format.pg_schema?.() ?? {})) {
    const type = parsePgType(text, name)
    // A width that `schema` gives is not in a PostgreSQL type.
    if (!isOpen(type) || types.get(name)?.name !== type.name) types.set(name, type)
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

/** @throws {IngestError} when the caller gives a type to a column that there is not. */
const checkAsked = (asked: Schema, names: readonly string[]): void => {
  const unknown = [...asked.keys()].filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new IngestError(
      `"schema" names ${quoted(unknown)}, the format yields ${quoted(names)}. Mend the name, or leave it out`,
    )
  }
}

const FLOATS: readonly TypeName[] = ["FLOAT64", "FLOAT32"]
const WHOLE: readonly TypeName[] = ["INT64", "INT32"]

/** Turns batch after batch into columns, and holds each to the names and types of those before it. */
const batchReader = (hints: Schema, asked: Schema) => {
  const known = new Map([...hints, ...asked])
  /** Columns that had whole numbers only: a fraction may still come. */
  const whole = new Set<string>()
  let names: readonly string[] | undefined

  const held = (name: string, column: Column, values: ArrayLike<unknown>, firstRow: number): Column => {
    const { type } = column
    if (whole.has(name)) {
      if (WHOLE.includes(type.name)) return column
      const wider: ColumnType = { name: FLOATS.includes(type.name) ? "FLOAT64" : "INT64" }
      // Values that are no numbers are refused here, by their row.
      const converted = columnOf(name, values, wider, firstRow) ?? column
      whole.delete(name)
      known.set(name, converted.type)
      return converted
    }
    if (!known.has(name)) {
      if (type.name === "INT64") whole.add(name)
      else known.set(name, type)
    }
    return column
  }

  return (data: Columns, firstRow: number): Batch => {
    const batch = batchOfColumns(data, known, firstRow)
    if (names) checkNames(names, Object.keys(data))
    else checkAsked(asked, Object.keys(data))
    names ??= Object.keys(data)
    const columns = [...batch.columns].map(
      ([name, column]) => [name, held(name, column, data[name] ?? [], firstRow)] as const,
    )
    return { rows: batch.rows, columns: new Map(columns) }
  }
}

/** What the format yields; what it throws is told with the batch at which it did. */
async function* read(format: Format): AsyncGenerator<Columns, void, undefined> {
  let number = 0
  try {
    for await (const columns of format.normalize()) {
      yield columns
      number++
    }
  } catch (error) {
    if (isFatal(error)) throw error
    throw new IngestError(`normalize() failed at batch ${number}: ${messageOf(error)}`, { cause: error })
  }
}

const at = <T>(number: number, make: () => T): T => {
  try {
    return make()
  } catch (error) {
    throw new IngestError(`Batch ${number}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * @param types column types that the caller asks for.
 * @throws {ConfigError} when `format` is none, or declares a type that there is not.
 */
export const plainFeed = (format: Format, types: Schema): Feed => {
  checkFormat(format)
  const hints = declaredTypes(format)
  const declared = [...new Map([...hints, ...types])]
  const pictures = format.image_columns?.() ?? declared.flatMap(([name, type]) => (type.name === "IMAGE" ? [name] : []))
  const kind = format.constructor === Object ? "format" : format.constructor?.name || "format"
  const id = format.name === undefined ? `${kind}:${randomUUID()}` : `format:${format.name}`
  const resumable = format.name !== undefined && format.resumable === true

  const normalize: Normalize = async function* (item, _options, context) {
    const { withThumbnails } = await import("../media/picture-thumbnails.ts")
    const toBatch = batchReader(hints, types)
    let firstRow = 0
    let number = 0
    try {
      for await (const columns of read(format)) {
        const batch = at(number, () => toBatch(columns, firstRow))
        yield { ...(await withThumbnails(batch, pictures, { item, firstRow, ...context })), medium: kind }
        firstRow += batch.rows
        number++
      }
    } catch (error) {
      if (!resumable || isFatal(error)) throw error
      // A failed item loses its rows; this one can go on after them.
      throw new FatalError(`${messageOf(error)}. The rows committed so far stay; run again to go on after them`, {
        cause: error,
      })
    }
  }

  return {
    source: {
      name: kind,
      total: 1,
      items: async function* () {
        yield { id, uri: id, version: "1", bytes: 0, ...(resumable && { resumable }) }
      },
    },
    code: { normalize, options: {} },
    route: () => ({ lane: "main", recipe: "format" }),
  }
}
