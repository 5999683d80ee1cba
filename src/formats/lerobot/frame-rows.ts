/** Rows of a data file as columns: which SQL reads a feature, given the type that the file has it in. */
import { type Batch, batchOf } from "../../model/batch.ts"
import { type Column, nullColumn } from "../../model/column.ts"
import { IngestError } from "../../model/errors.ts"
import type { ColumnType } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import type { ReadColumn } from "../../readers/read.ts"
import { FRAME_COLUMNS, type FrameFeature } from "./names.ts"

/** DuckDB's types of the columns of a file, by name. */
export type FileTypes = ReadonlyMap<string, string>

/** A column of the table; without `read` the file does not have it, and it is null. */
export interface FrameColumn {
  readonly name: string
  readonly type: ColumnType
  readonly read?: ReadColumn
}

const LIST = /\[\d*\]$/

const listed = (c: string, size: number): string =>
  `CASE WHEN ${c} IS NULL OR len(${c}) = ${size} THEN ${c}[1] ELSE error('expected ${size} numbers, found ' || len(${c})) END`

const imageSql = (key: string, sqlType: string): string => {
  const c = identifier(key)
  if (sqlType === "BLOB") return c
  if (/^STRUCT\((.*, )?"?bytes"? BLOB\b/.test(sqlType)) return `${c}.bytes`
  throw new IngestError(
    `Column ${JSON.stringify(key)}: expected pictures, as STRUCT(bytes BLOB, path VARCHAR), found ${sqlType}`,
  )
}

const columnsOfFeature = (feature: FrameFeature, types: FileTypes): readonly FrameColumn[] => {
  const { key, type } = feature
  const sqlType = types.get(key)
  const names = feature.kind === "unpacked" ? feature.columns : [feature.column]
  if (sqlType === undefined) return names.map((name) => ({ name, type }))
  const read = (name: string, sql?: string): FrameColumn => ({
    name,
    type,
    read: { name: key, as: name, type, ...(sql !== undefined && { sql }) },
  })
  const c = identifier(key)
  switch (feature.kind) {
    case "image":
      return [read(feature.column, imageSql(key, sqlType))]
    case "unpacked":
      // The length is looked at once a row; DuckDB gives null for what is beyond the end of a list.
      return names.map((name, index) => read(name, index === 0 ? listed(c, names.length) : `${c}[${index + 1}]`))
    case "value":
      return [read(feature.column, type.name !== "EMBEDDING" && LIST.test(sqlType) ? listed(c, 1) : undefined)]
    case "nested":
      return [read(feature.column)]
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
    if (sqlType === undefined) return { name, type }
    const sql = LIST.test(sqlType) ? { sql: listed(identifier(name), 1) } : {}
    return { name, type, read: { name, type, ...sql } }
  })
  return [...fixed, ...features.flatMap((feature) => columnsOfFeature(feature, types))]
}

/** A batch with all columns, in their order; the file's batch lacks those that the file lacks. */
export const complete = (batch: Batch, columns: readonly FrameColumn[]): Batch =>
  batch.columns.size === columns.length
    ? batch
    : batchOf(
        Object.fromEntries(
          columns.map(({ name, type }): [string, Column] => [
            name,
            batch.columns.get(name) ?? nullColumn(type, batch.rows),
          ]),
        ),
      )
