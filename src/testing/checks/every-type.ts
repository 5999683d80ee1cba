/** Rows with a column of every type, and nulls. */
import { type Batch, batchOf } from "../../model/batch.ts"
import { batchOfColumns } from "../../model/infer.ts"
import { parseType, type TypeName } from "../../model/types.ts"
import type { PlainRow } from "./check.ts"

const bytes = (...values: readonly number[]): Uint8Array => new Uint8Array(values)

/** Three rows each; the last is null. */
const VALUES: Readonly<Record<TypeName, readonly [unknown, unknown]>> = {
  TEXT: ["", "Ünïcode \u{1f600}"],
  INT32: [-(2 ** 31), 7],
  INT64: [2n ** 62n, -1n],
  FLOAT32: [0.5, -Infinity],
  FLOAT64: [Number.NaN, Math.PI],
  BOOL: [true, false],
  BINARY: [bytes(), bytes(0, 255)],
  IMAGE: [bytes(1), bytes(2, 3)],
  VIDEO: [bytes(4), bytes(5, 6)],
  EMBEDDING: [
    [0.5, 1],
    [-1, 0],
  ],
  MULTI_EMBEDDING: [
    [
      [0.5, 1],
      [-1, 0],
    ],
    [],
  ],
  SEGMENT_MASK: [bytes(7), bytes(8)],
  BINARY_MASK: [bytes(9), bytes(10)],
  BOUNDING_BOX: [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ],
  CLASS_LABEL: [0, 3],
  POLYGON: [bytes(11), bytes(12)],
  POINT: [
    [1, 2],
    [3, 4, 5],
  ],
  MESH: [bytes(13), bytes(14)],
  MEDICAL: [bytes(15), bytes(16)],
  JSON: ['{"a":1}', "[]"],
}

export const typedBatch = (): Batch => {
  const names = Object.keys(VALUES) as TypeName[]
  const schema = names.map(
    (name) => [name.toLowerCase(), parseType(name.endsWith("EMBEDDING") ? `${name}(2)` : name, name)] as const,
  )
  const data = names.map((name) => [name.toLowerCase(), [...VALUES[name], null]] as const)
  const { columns } = batchOfColumns(Object.fromEntries(data), new Map(schema))
  return batchOf(Object.fromEntries(columns))
}

const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain)
  return ArrayBuffer.isView(value) ? Array.from(value as Uint8Array) : value
}

/** Arrays of numbers, whatever holds them. */
export const valuesOf = (rows: readonly PlainRow[]): unknown[] => rows.flatMap((row) => Object.values(row).map(plain))
