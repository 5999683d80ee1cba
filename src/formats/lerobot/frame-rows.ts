/** Rows of a data file as columns: which SQL reads a feature, given the type that the file has it in. */
import { type Batch, batchOf } from "../../model/batch.ts"
import { type Column, nullColumn, numberColumn } from "../../model/column.ts"
import { IngestError } from "../../model/errors.ts"
import type { ColumnType } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import type { ReadColumn } from "../../readers/read.ts"
import { FRAME_COLUMNS, type FrameFeature } from "./names.ts"

/** DuckDB's types of the columns of a file, by name. */
export type FileTypes = ReadonlyMap<string, string>

/** A column of the table, or those that one list of the file becomes. */
export interface FrameColumn {
  readonly names: readonly string[]
  readonly type: ColumnType
  /** Without it, the file does not have it, and it is null. */
  readonly read?: ReadColumn
}

const LIST = /\[\d*\]$/

/** `value`, where the list `c` has so many numbers, or is null; else an error. */
const ofLength = (c: string, size: number, value: string): string =>
  `CASE WHEN ${c} IS NULL OR len(${c}) = ${size} THEN ${value} ELSE error('expected ${size} numbers, found ' || len(${c})) END`

/** The only number of a list. */
const only = (c: string): string => ofLength(c, 1, `${c}[1]`)

const imageSql = (key: string, sqlType: string): string => {
  const c = identifier(key)
  if (sqlType === "BLOB") return c
  if (/^STRUCT\((.*, )?"?bytes"? BLOB\b/.test(sqlType)) return `${c}.bytes`
  throw new IngestError(
    `Column ${JSON.stringify(key)}: expected pictures, as STRUCT(bytes BLOB, path VARCHAR), found ${sqlType}`,
  )
}

const vectorOf = (key: string, as: string, size: number): ReadColumn => {
  const c = identifier(key)
  return { name: key, as, sql: ofLength(c, size, c), type: { name: "EMBEDDING", size } }
}

const columnsOfFeature = (feature: FrameFeature, types: FileTypes): readonly FrameColumn[] => {
  const { key, type } = feature
  const sqlType = types.get(key)
  const names = feature.kind === "unpacked" ? feature.columns : [feature.column]
  if (sqlType === undefined) return [{ names, type }]
  const c = identifier(key)
  const one = (name: string, sql?: string): FrameColumn => ({
    names: [name],
    type,
    read: { name: key, as: name, type, ...(sql !== undefined && { sql }) },
  })
  switch (feature.kind) {
    case "image":
      return [one(feature.column, imageSql(key, sqlType))]
    case "unpacked":
      // Planning a query with a column for each number takes DuckDB longer than reading an episode.
      return type.name === "FLOAT32"
        ? [{ names, type, read: vectorOf(key, key, names.length) }]
        : // The length is looked at once a row: beyond the end of a list there is null.
          names.map((name, index) => {
            const value = `${c}[${index + 1}]`
            return one(name, index === 0 ? ofLength(c, names.length, value) : value)
          })
    case "value":
      return type.size === undefined
        ? [one(feature.column, LIST.test(sqlType) ? only(c) : undefined)]
        : [{ names, type, read: vectorOf(key, feature.column, type.size) }]
    case "nested":
      return [one(feature.column)]
  }
}

/**
 * The columns of the table, for a file with columns of the given types.
 *
 * @throws {IngestError} when the file is none of frames.
 */
export const frameColumns = (features: readonly FrameFeature[], types: FileTypes): readonly FrameColumn[] => {
  const missing = ["episode_index", "frame_index"].filter((name) => !types.has(name))
  if (missing.length > 0) {
    throw new IngestError(
      `expected the frames of a LeRobot dataset, found a file without ${missing.join(" and ")}; it has ${[...types.keys()].join(", ")}`,
    )
  }
  const fixed = FRAME_COLUMNS.map(([name, type]): FrameColumn => {
    const sqlType = types.get(name)
    if (sqlType === undefined) return { names: [name], type }
    const sql = LIST.test(sqlType) ? { sql: only(identifier(name)) } : {}
    return { names: [name], type, read: { name, type, ...sql } }
  })
  return [...fixed, ...features.flatMap((feature) => columnsOfFeature(feature, types))]
}

/** Each number of a vector as a column of its own. */
const unpacked = (
  { values, length, valid }: Column,
  names: readonly string[],
): readonly (readonly [string, Column])[] =>
  names.map((name, index) => {
    const numbers = new Float32Array(length)
    for (let row = 0, at = index; row < length; row++, at += names.length) numbers[row] = values[at] as number
    return [name, { ...numberColumn(numbers, { name: "FLOAT32" }), ...(valid && { valid }) }]
  })

/** What was read of a file, with all columns of the table, in their order. */
export const toFrames = (batch: Batch, columns: readonly FrameColumn[]): Batch =>
  batchOf(
    Object.fromEntries(
      columns.flatMap(({ names, type, read }) => {
        const found = read && batch.columns.get(read.as ?? read.name)
        if (found && names.length > 1) return unpacked(found, names)
        return names.map((name) => [name, found ?? nullColumn(type, batch.rows)] as const)
      }),
    ),
  )
