/**
 * How the columns of a table file become columns of the batches, by their features.
 *
 * | feature | column |
 * |---|---|
 * | Value | by its dtype: TEXT, INT32, INT64, FLOAT32, FLOAT64, BOOL, BINARY; dates and decimals TEXT |
 * | ClassLabel | CLASS_LABEL with the names; texts become positions |
 * | Image, Video, Audio, Pdf, Nifti, Mesh | IMAGE, VIDEO, BINARY, BINARY, MEDICAL, MESH, and `<name>_path` |
 * | List of floats with a length, Array2D to Array5D of floats or small integers | EMBEDDING, row after row |
 * | other lists, structs, translations, Json | JSON; bytes in lists of media as base64 |
 */
import type { Feature, Features, MediaKind } from "../../hub/features.ts"
import { IngestError } from "../../model/errors.ts"
import { isHidden } from "../../model/rows.ts"
import type { ColumnType, Schema, TypeName } from "../../model/types.ts"
import type { TableColumn } from "../../readers/describe.ts"
import { identifier, literal } from "../../readers/duckdb.ts"
import type { ReadColumn } from "../../readers/read.ts"

/** A column of media: bytes, and beside them where they come from. */
export interface MediaColumn {
  readonly bytes: string
  readonly path: string
}

export interface ColumnPlan {
  readonly columns: readonly ReadColumn[]
  readonly media: readonly MediaColumn[]
}

export const MEDIA: Readonly<Record<MediaKind, ColumnType>> = {
  Image: { name: "IMAGE" },
  Video: { name: "VIDEO", blob: true },
  Audio: { name: "BINARY" },
  Pdf: { name: "BINARY" },
  Nifti: { name: "MEDICAL" },
  Mesh: { name: "MESH" },
}

const VALUES: Readonly<Record<string, TypeName>> = {
  string: "TEXT",
  large_string: "TEXT",
  string_view: "TEXT",
  int8: "INT32",
  int16: "INT32",
  int32: "INT32",
  uint8: "INT32",
  uint16: "INT32",
  int64: "INT64",
  uint32: "INT64",
  uint64: "INT64",
  float16: "FLOAT32",
  float32: "FLOAT32",
  float64: "FLOAT64",
  bool: "BOOL",
  binary: "BINARY",
  large_binary: "BINARY",
}

/** Numbers that 32-bit floats hold exactly, or nearly so. */
const FLOATS = /^(float(16|32|64)|u?int(8|16))$/

const embedding = (size: number | undefined): ColumnType | undefined =>
  size !== undefined && size > 0 ? { name: "EMBEDDING", size } : undefined

/** The column type of a feature; undefined: that of the file. */
const typeOf = (feature: Feature | undefined): ColumnType | undefined => {
  switch (feature?.kind) {
    case "value": {
      const name = VALUES[feature.dtype]
      return name && { name }
    }
    case "label":
      return { name: "CLASS_LABEL", names: feature.names }
    case "media":
      return MEDIA[feature.media]
    case "list":
      return feature.of.kind === "value" && feature.of.dtype.startsWith("float") ? embedding(feature.length) : undefined
    case "array": {
      const size = feature.shape.reduce<number | undefined>(
        (a, b) => (a === undefined || b === undefined ? undefined : a * b),
        1,
      )
      return FLOATS.test(feature.dtype) ? embedding(size) : undefined
    }
    case "json":
      return { name: "JSON" }
    default:
      return undefined
  }
}

/** Columns cannot have names with these characters, or names of the store's own. */
export const columnName = (name: string): string => {
  const plain = name.replaceAll(/[.`]/g, "_")
  return plain === "" || isHidden(plain) ? `${plain}_` : plain
}

/** Gives each name once: `a`, `a_2`, `a_3`. */
export const uniqueNames = () => {
  const taken = new Set<string>()
  return (name: string): string => {
    const plain = columnName(name)
    let free = plain
    for (let n = 2; taken.has(free); n++) free = `${plain}_${n}`
    taken.add(free)
    return free
  }
}

/** Names of classes as their positions; numbers stay what they are. */
const labelSql = (column: string, sqlType: string, names: readonly string[]): string | undefined => {
  if (sqlType !== "VARCHAR") return undefined
  const list = `[${names.map(literal).join(", ")}]`
  const position = `coalesce(list_position(${list}, ${column}) - 1, TRY_CAST(${column} AS INTEGER))`
  const wrong = `error('expected the name of a class, found ' || ${column})`
  return `CASE WHEN ${column} IS NULL THEN NULL ELSE coalesce(${position}, ${wrong}) END`
}

const STRUCT = /^STRUCT\(.*\bbytes BLOB\b.*\bpath VARCHAR\b.*\)$/
const STRUCTS = /^STRUCT\((?:bytes BLOB, path VARCHAR|path VARCHAR, bytes BLOB)\)\[\d*\]$/

/** JSON has no bytes: those in lists of media are base64 there. */
const nestedSql = (column: string, sqlType: string): string | undefined =>
  STRUCTS.test(sqlType)
    ? `list_transform(${column}, lambda x: struct_pack(bytes := to_base64(x.bytes), path := x.path))`
    : undefined

/** The expressions for the bytes and the path of a column of media; undefined when it is no such column. */
const mediaSql = (column: string, sqlType: string): { readonly bytes: string; readonly path?: string } | undefined => {
  if (STRUCT.test(sqlType)) return { bytes: `${column}.bytes`, path: `${column}.path` }
  if (sqlType === "BLOB") return { bytes: column }
  if (sqlType === "VARCHAR") return { bytes: "NULL::BLOB", path: column }
  return undefined
}

export interface Wanted {
  /** Names of columns in the file; undefined: all. */
  readonly columns: readonly string[] | undefined
  /** Column types that win over the features'. */
  readonly types: Schema
}

const pick = (described: readonly TableColumn[], wanted: readonly string[] | undefined): readonly TableColumn[] => {
  if (!wanted) return described
  return wanted.map((name) => {
    const found = described.find((column) => column.name === name)
    if (found) return found
    const there = described.map((column) => column.name).join(", ")
    throw new IngestError(`there is no column ${JSON.stringify(name)}; it has ${there}`)
  })
}

/**
 * @param described the columns of the file, in their order.
 * @throws {IngestError} for a wanted column that there is not.
 */
export const planColumns = (
  described: readonly TableColumn[],
  features: Features | undefined,
  { columns, types }: Wanted,
): ColumnPlan => {
  const media: MediaColumn[] = []
  const unique = uniqueNames()
  const picked = pick(described, columns).map((column) => ({ ...column, as: unique(column.name) }))
  const planned = picked.flatMap(({ name, as, sqlType, type }): ReadColumn[] => {
    const feature = features?.get(name)
    const own = types.get(as)
    const quoted = identifier(name)
    const parts = feature?.kind === "media" ? mediaSql(quoted, sqlType) : undefined
    if (feature?.kind === "media" && parts) {
      const bytes = { name, as, sql: parts.bytes, type: own ?? MEDIA[feature.media] }
      if (parts.path === undefined) return [bytes]
      const path = unique(`${as}_path`)
      media.push({ bytes: as, path })
      return [bytes, { name, as: path, sql: parts.path, type: { name: "TEXT" } }]
    }
    const sql = feature?.kind === "label" ? labelSql(quoted, sqlType, feature.names) : nestedSql(quoted, sqlType)
    const wide = own?.name === "EMBEDDING" && own.size === undefined ? type : own
    const found = feature?.kind === "media" ? undefined : typeOf(feature)
    return [{ name, as, ...(sql !== undefined && { sql }), type: wide ?? found ?? type }]
  })
  return { columns: planned, media }
}
