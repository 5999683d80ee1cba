/**
 * Columns as Parquet's schema
 * (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, SchemaElement).
 * Everything may be null; lists have the three levels that the format asks for.
 */
import type { ColumnType, Schema } from "../model/types.ts"
import { type Stored, storedAs } from "./stored.ts"
import { i32, struct, type Thrift, text } from "./thrift.ts"

const PHYSICAL = { BOOLEAN: 0, INT32: 1, INT64: 2, FLOAT: 4, DOUBLE: 5, BYTE_ARRAY: 6 } as const
const REPETITION = { OPTIONAL: 1, REPEATED: 2 } as const
const CONVERTED = { UTF8: 0, LIST: 3 } as const
/** Fields of the union LogicalType. */
const LOGICAL = { STRING: 1, LIST: 3 } as const

const LEAF_TYPES: Readonly<Record<Stored, number>> = {
  int32: PHYSICAL.INT32,
  int64: PHYSICAL.INT64,
  float32: PHYSICAL.FLOAT,
  float64: PHYSICAL.DOUBLE,
  bits: PHYSICAL.BOOLEAN,
  utf8: PHYSICAL.BYTE_ARRAY,
  bytes: PHYSICAL.BYTE_ARRAY,
  file: PHYSICAL.BYTE_ARRAY,
  list: PHYSICAL.FLOAT,
  vectors: PHYSICAL.FLOAT,
}

interface Element {
  readonly physical?: number
  readonly repetition?: number
  readonly children?: number
  readonly means?: keyof typeof LOGICAL
}

const CONVERTED_OF = { STRING: CONVERTED.UTF8, LIST: CONVERTED.LIST } as const

const number = (value: number | undefined): Thrift | undefined => (value === undefined ? undefined : i32(value))

/** Old readers know the converted type, new ones the logical type. */
const element = (name: string, { physical, repetition, children, means }: Element): Thrift =>
  struct(
    [1, number(physical)],
    [3, number(repetition)],
    [4, text(name)],
    [5, number(children)],
    [6, number(means && CONVERTED_OF[means])],
    [10, means && struct([LOGICAL[means], struct()])],
  )

const elementsOf = (name: string, type: ColumnType): readonly Thrift[] => {
  const repetition = REPETITION.OPTIONAL
  const stored = storedAs(type)
  const physical = LEAF_TYPES[stored]
  switch (stored) {
    case "file":
      return [
        element(name, { repetition, children: 2 }),
        element("bytes", { physical, repetition }),
        element("path", { physical, repetition, means: "STRING" }),
      ]
    case "list":
      return [
        element(name, { repetition, children: 1, means: "LIST" }),
        element("list", { repetition: REPETITION.REPEATED, children: 1 }),
        element("element", { physical, repetition }),
      ]
    case "vectors":
      return [
        element(name, { repetition, children: 1, means: "LIST" }),
        element("list", { repetition: REPETITION.REPEATED, children: 1 }),
        element("element", { repetition, children: 1, means: "LIST" }),
        element("list", { repetition: REPETITION.REPEATED, children: 1 }),
        element("element", { physical, repetition }),
      ]
    default:
      return [element(name, { physical, repetition, ...(stored === "utf8" && { means: "STRING" }) })]
  }
}

export const schemaElements = (schema: Schema): readonly Thrift[] => [
  element("schema", { children: schema.size }),
  ...[...schema].flatMap(([name, type]) => elementsOf(name, type)),
]

export interface Leaf {
  readonly path: readonly string[]
  readonly physical: number
}

/** Below the column. */
const PATHS: { readonly [S in Stored]?: readonly (readonly string[])[] } = {
  file: [["bytes"], ["path"]],
  list: [["list", "element"]],
  vectors: [["list", "element", "list", "element"]],
}

/** The leaves of a column, in the order of its pages. */
export const leavesOf = (name: string, type: ColumnType): readonly Leaf[] => {
  const stored = storedAs(type)
  return (PATHS[stored] ?? [[]]).map((path) => ({ path: [name, ...path], physical: LEAF_TYPES[stored] }))
}
