/**
 * How the columns of a table file become columns of the batches, by their features.
 *
 * | feature | column |
 * |---|---|
 * | Value | by its dtype: TEXT, INT32, INT64, FLOAT32, FLOAT64, BOOL, BINARY; dates and decimals TEXT |
 * | ClassLabel | CLASS_LABEL with the names; texts that are names become positions |
 * | Image, Video, Audio, Pdf, Nifti, Mesh | IMAGE, VIDEO, BINARY, BINARY, MEDICAL, MESH, and `<name>_path` |
 * | List of floats with a length, Array2D to Array5D of floats or small integers | EMBEDDING, row after row |
 * | other lists, structs, translations, Json | JSON; bytes in lists of media as base64 |
 */
import type { Feature, Features, MediaKind } from "../../hub/features.ts"
import { IngestError } from "../../model/errors.ts"
import { isHidden } from "../../model/rows.ts"
import type { ColumnType, Schema, TypeName } from "../../model/types.ts"
import type { TableColumn } from "../../readers/describe.ts"
import { identifier } from "../../readers/duckdb.ts"
import type { ReadColumn } from "../../readers/read.ts"

/** A column of media: bytes, and beside them where they come from. */
export interface MediaColumn {
  readonly bytes: string
  readonly type: ColumnType
  readonly path: string
}

export interface ColumnPlan {
  readonly columns: readonly ReadColumn[]
  readonly media: readonly MediaColumn[]
  /** Columns that are read as text, and become positions in these names. */
  readonly labels: ReadonlyMap<string, ColumnType>
  /** Names of the batches' columns, in order. */
  readonly order: readonly string[]
}

export const MEDIA: Readonly<Record<MediaKind, ColumnType>> = {
  Image: { name: "IMAGE" },
  Video: { name: "VIDEO", blob: true },
  Audio: { name: "BINARY" },
  Pdf: { name: "BINARY" },
  Nifti: { name: "MEDICAL" },
  Mesh: { name: "MESH" },
}

/** By what a dataset says; it may say "constructor". */
const VALUES = new Map<string, TypeName>(
  Object.entries({
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
  } satisfies Record<string, TypeName>),
)

/** Numbers that 32-bit floats hold exactly, or nearly so. */
const FLOATS = /^(float(16|32|64)|u?int(8|16))$/

const embedding = (size: number | undefined): ColumnType | undefined =>
  size !== undefined && size > 0 ? { name: "EMBEDDING", size } : undefined

/** The column type of a feature; undefined: that of the file. */
export const featureType = (feature: Feature | undefined): ColumnType | undefined => {
  switch (feature?.kind) {
    case "value": {
      const name = VALUES.get(feature.dtype)
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

/** As DuckDB writes the type of what `datasets` stores, in either order. */
const STORED = /^STRUCT\((?:"?bytes"? BLOB, "?path"? VARCHAR|"?path"? VARCHAR, "?bytes"? BLOB)\)(\[\d*\])?$/

/** JSON has no bytes: those in lists of media are base64 there. */
const nestedSql = (column: string, sqlType: string): string | undefined =>
  STORED.exec(sqlType)?.[1] !== undefined
    ? `list_transform(${column}, lambda x: struct_pack(bytes := to_base64(x.bytes), path := x.path))`
    : undefined

/** How a column of media is stored: with its bytes, and with its path. Undefined when it is no such column. */
const mediaSql = (column: string, sqlType: string): { readonly bytes?: string; readonly path?: string } | undefined => {
  const stored = STORED.exec(sqlType)
  if (stored && stored[1] === undefined) return { bytes: `${column}.bytes`, path: `${column}.path` }
  if (sqlType === "BLOB") return { bytes: column }
  if (sqlType === "VARCHAR") return { path: column }
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
  const planned: ReadColumn[] = []
  const media: MediaColumn[] = []
  const labels = new Map<string, ColumnType>()
  const order: string[] = []
  const unique = uniqueNames()
  // A name that is the dataset's own stays as it is, whatever is called `_path` beside it.
  for (const column of pick(described, columns).map((one) => ({ ...one, as: unique(one.name) }))) {
    const { name, as, sqlType, type } = column
    // What Sluice wrote has types of its own, and no paths.
    const feature = column.written ? undefined : features?.get(name)
    const quoted = identifier(name)
    const asked = types.get(as)
    order.push(as)
    const stored = feature?.kind === "media" ? mediaSql(quoted, sqlType) : undefined
    if (feature?.kind === "media" && stored) {
      const own = asked ?? MEDIA[feature.media]
      if (stored.bytes !== undefined) {
        planned.push({ name, as, ...(stored.bytes !== quoted && { sql: stored.bytes }), type: own })
      }
      if (stored.path !== undefined) {
        const path = unique(`${as}_path`)
        order.push(path)
        media.push({ bytes: as, type: own, path })
        planned.push({ name, as: path, ...(stored.path !== quoted && { sql: stored.path }), type: { name: "TEXT" } })
      }
      continue
    }
    const found = feature?.kind === "media" ? undefined : featureType(feature)
    if (found?.name === "CLASS_LABEL" && !asked && sqlType === "VARCHAR") {
      labels.set(as, found)
      planned.push({ name, as, type: { name: "TEXT" } })
      continue
    }
    const sql = column.written ? undefined : nestedSql(quoted, sqlType)
    // Its width is that of its lists.
    const wide = asked?.name === "EMBEDDING" && asked.size === undefined ? type : asked
    planned.push({ name, as, ...(sql !== undefined && { sql }), type: wide ?? found ?? type })
  }
  return { columns: planned, media, labels, order }
}
