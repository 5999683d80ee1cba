/** PostgreSQL's names of types, as the engine calls them. */
import type { TypeName } from "libpg-query"
import { nearest } from "../../model/suggest.ts"
import { as, constantOf, namesOf } from "./node.ts"
import { errorAt } from "./source.ts"

const TYPES: Readonly<Record<string, string>> = {
  int2: "SMALLINT",
  int4: "INTEGER",
  int8: "BIGINT",
  float4: "FLOAT",
  float8: "DOUBLE",
  // Fractions are doubles here, as they are in JavaScript; see also literals.
  numeric: "DOUBLE",
  bool: "BOOLEAN",
  text: "VARCHAR",
  varchar: "VARCHAR",
  bpchar: "VARCHAR",
  bytea: "BLOB",
  json: "JSON",
  jsonb: "JSON",
  date: "DATE",
  time: "TIME",
  timestamp: "TIMESTAMP",
  timestamptz: "TIMESTAMP WITH TIME ZONE",
  interval: "INTERVAL",
  uuid: "UUID",
  // Ours, in capitals or not.
  int32: "INTEGER",
  int64: "BIGINT",
  float32: "FLOAT",
  float64: "DOUBLE",
  binary: "BLOB",
  image: "BLOB",
  video: "BLOB",
  segment_mask: "BLOB",
  binary_mask: "BLOB",
  polygon: "BLOB",
  deeplake_polygon: "BLOB",
  mesh: "BLOB",
  medical: "BLOB",
  class_label: "INTEGER",
  embedding: "FLOAT[]",
  bounding_box: "FLOAT[]",
  point: "FLOAT[]",
  deeplake_point: "FLOAT[]",
}

const numbersOf = ({ typmods }: TypeName): number[] =>
  (typmods ?? []).map((node) => {
    const constant = as(node, "A_Const")
    return Number(constant ? constantOf(constant) : Number.NaN)
  })

export interface EngineType {
  readonly name: string
  /** Only so many characters of a text are kept. */
  readonly length?: number
}

/** @throws {TableError} for a type that is none of PostgreSQL's common ones. */
export const engineType = (sql: string, type: TypeName): EngineType => {
  const given = namesOf(type.names)
  const name = (given.length > 1 && given[0] === "pg_catalog" ? given.slice(1) : given).join(".").toLowerCase()
  const known = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined
  if (known === undefined || type.setof) {
    const near = nearest(name, Object.keys(TYPES))
    throw errorAt(
      sql,
      type.location,
      `there is no type ${JSON.stringify(name)}${near ? `; did you mean ${JSON.stringify(near)}?` : ""}`,
    )
  }
  const list = "[]".repeat(type.arrayBounds?.length ?? 0)
  const [width, scale = 0] = numbersOf(type)
  if (width === undefined) return { name: `${known}${list}` }
  if (name === "numeric") return { name: `DECIMAL(${Math.trunc(width)},${Math.trunc(scale)})${list}` }
  return list === "" && known === "VARCHAR" ? { name: known, length: Math.trunc(width) } : { name: `${known}${list}` }
}
