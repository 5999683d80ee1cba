import { expect, it } from "vitest"
import {
  boolColumn,
  bytesColumn,
  type Column,
  floatsColumn,
  nullColumn,
  numberColumn,
  textColumn,
  type Value,
  valueAt,
  vectorColumn,
  vectorsColumn,
} from "../../src/model/column.ts"
import type { Writer } from "../../src/model/sink.ts"
import { concatColumns, sliceColumn } from "../../src/model/splice.ts"
import { type ColumnType, formatType, TYPE_NAMES, type TypeName } from "../../src/model/types.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { commitItems } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const type = (name: TypeName): ColumnType => ({ name })

const withNull = (column: Column): Column => concatColumns([column, nullColumn(column.type, 1), column])

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const binary = (of: ColumnType): Column => bytesColumn([bytes(1, 2, 3), null, bytes(), bytes(255, 0)], of)

const COLUMNS: Readonly<Record<TypeName, Column>> = {
  TEXT: textColumn(["plain", "", null, "zwölf 漢字 🦊"]),
  INT32: withNull(numberColumn(Int32Array.of(-(2 ** 31), 2 ** 31 - 1), type("INT32"))),
  INT64: withNull(numberColumn(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), type("INT64"))),
  FLOAT32: withNull(numberColumn(Float32Array.of(0.5, Number.NaN, -0), type("FLOAT32"))),
  FLOAT64: withNull(numberColumn(Float64Array.of(0.1, Number.MAX_VALUE), type("FLOAT64"))),
  BOOL: boolColumn([true, null, false, true, true, null, false, false, true, null, true]),
  BINARY: binary(type("BINARY")),
  IMAGE: binary(type("IMAGE")),
  VIDEO: binary({ name: "VIDEO", blob: true }),
  EMBEDDING: vectorColumn([[1, 2.5, -3], null, [4, 5, 6]], { name: "EMBEDDING", size: 3 }),
  MULTI_EMBEDDING: sliceColumn(
    vectorsColumn(
      [
        [[9, 9, 9]],
        [
          [1, 2.5, -3],
          [4, 5, 6],
        ],
        null,
        [],
        [[7, 8, 9]],
      ],
      { name: "MULTI_EMBEDDING", size: 3 },
    ),
    1,
    5,
  ),
  SEGMENT_MASK: binary(type("SEGMENT_MASK")),
  BINARY_MASK: binary(type("BINARY_MASK")),
  BOUNDING_BOX: floatsColumn([[1, 2, 3, 4], null, []], type("BOUNDING_BOX")),
  CLASS_LABEL: withNull(numberColumn(Int32Array.of(0, 7), type("CLASS_LABEL"))),
  POLYGON: binary(type("POLYGON")),
  POINT: floatsColumn([[1, 2], null, [3, 4]], type("POINT")),
  MESH: binary(type("MESH")),
  MEDICAL: binary(type("MEDICAL")),
  JSON: textColumn(['{"a":[1,2]}', null, "null"], type("JSON")),
}

const valuesOf = (column: Column): Value[] => Array.from({ length: column.length }, (_, row) => valueAt(column, row))

const open = async (uri: string) => lance({ uri, table: "t" }).open({ create: "if-missing" })

const readAll = async (writer: Writer, name: string): Promise<Value[]> => {
  const found: Value[] = []
  for await (const batch of writer.read([name])) {
    const column = batch.columns.get(name)
    if (column) found.push(...valuesOf(column))
  }
  return found
}

const readBlobs = async (uri: string): Promise<Value[]> => {
  const db = await connect(uri)
  const table = await db.openTable("t")
  const rows: { readonly _rowid: bigint }[] = await table.query().select(["_item"]).withRowId().toArray()
  const ids = rows.map((row) => row._rowid)
  return (await table.fetchBlobs("value", ids)).map((blob) => blob && Uint8Array.from(blob))
}

it.each(TYPE_NAMES)("stores and reads %s with nulls", async (name) => {
  const column = COLUMNS[name]
  const uri = await tempFolder()
  const writer = await open(uri)
  // Two batches in one commit, then another commit: rows of no multiple of eight follow one another.
  await commitItems(writer, [
    ["first", { value: column }],
    ["second", { value: column }],
  ])
  await commitItems(writer, [["third", { value: column }]])
  const found = column.type.blob ? await readBlobs(uri) : await readAll(writer, "value")
  await writer.close()
  const once = valuesOf(column)
  expect(found).toEqual([...once, ...once, ...once])

  const again = await open(uri)
  const stored = again.schema.get("value")
  expect(stored && formatType(stored)).toBe(formatType(column.type))
  expect(stored?.blob).toBe(column.type.blob)
  await again.close()
})

it("adds columns of every type to a table that has rows, null in those", async () => {
  const writer = await open(await tempFolder())
  await commitItems(writer, [["old", { text: textColumn(["a", "b"]) }]])
  const all = Object.fromEntries(Object.entries(COLUMNS).map(([name, column]) => [name, nullColumn(column.type, 1)]))
  await commitItems(writer, [["nulls", all]])
  await commitItems(writer, [["image", { IMAGE: COLUMNS.IMAGE }]])
  expect(await readAll(writer, "IMAGE")).toEqual([null, null, null, ...valuesOf(COLUMNS.IMAGE)])
  await writer.close()
})

it("stores bits that are all null beside others", async () => {
  const writer = await open(await tempFolder())
  const flags = [boolColumn(new Array<null>(9).fill(null)), boolColumn([null]), boolColumn([true, false])]
  await commitItems(
    writer,
    flags.map((flag, item) => [`${item}`, { flag }]),
  )
  expect(await readAll(writer, "flag")).toEqual(flags.flatMap(valuesOf))
  await writer.close()
})

it("reads rows of a filter that cuts a column of bits and one of vectors", async () => {
  const writer = await open(await tempFolder())
  for (let item = 0; item < 5; item++) {
    await commitItems(writer, [
      [`${item}`, { flag: boolColumn([item % 2 === 0, null, true]), vector: COLUMNS.EMBEDDING }],
    ])
  }
  const rows: Value[][] = []
  for await (const batch of writer.read(["_item", "flag", "vector"], { items: [{ item: "1" }, { item: "3" }] })) {
    const columns = [...batch.columns.values()]
    for (let row = 0; row < batch.rows; row++) rows.push(columns.map((column) => valueAt(column, row)))
  }
  const vectors = valuesOf(COLUMNS.EMBEDDING)
  const expected = ["1", "3"].flatMap((item) => [false, null, true].map((flag, row) => [item, flag, vectors[row]]))
  expect(rows).toEqual(expected)
  await writer.close()
})

it("keeps columns apart that share memory, whatever their length", async () => {
  for (const rows of [255, 256, 512, 4096]) {
    const uri = await tempFolder()
    const shared = Float64Array.from({ length: rows + 8 }, (_, row) => row)
    const video: ColumnType = { name: "VIDEO", blob: true }
    const column = (start: number): Column => numberColumn(shared.subarray(start, start + rows), type("FLOAT64"))
    const writer = await open(uri)
    const columns = { x: column(0), y: column(0), z: column(4), nothing: nullColumn(video, rows) }
    await commitItems(writer, [["item", columns]])
    for (const [name, start] of [
      ["x", 0],
      ["y", 0],
      ["z", 4],
    ] as const) {
      expect(await readAll(writer, name)).toEqual([...shared.subarray(start, start + rows)])
    }
    await writer.close()
  }
})
