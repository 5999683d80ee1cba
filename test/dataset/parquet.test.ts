import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { exportParquet } from "../../src/dataset/parquet.ts"
import { bytesColumn, int32Column, numberColumn, textColumn, vectorColumn } from "../../src/model/column.ts"
import { ConfigError, IngestError, TableError } from "../../src/model/errors.ts"
import { connect } from "../../src/store/database.ts"
import { sql, sqlValues } from "../fixtures/duckdb.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const CLASSES = ["cat", "dog"]
const ROWS = 200

let uri = ""
let out = ""

/** Bytes that tell the row they belong to; some of a MiB, so that a fetch holds only some of them. */
const picture = (row: number): Buffer => Buffer.alloc(row % 7 === 0 ? 1 << 20 : 1000 + row, row)

beforeAll(async () => {
  uri = await tempFolder()
  out = await tempFolder()
  const rows = Array.from({ length: ROWS }, (_, row) => row)
  await writeTable(uri, "media", [
    [
      "a",
      {
        n: int32Column(rows),
        image: bytesColumn(
          rows.map((row) => (row % 10 === 3 ? null : picture(row))),
          { name: "IMAGE" },
        ),
        label: numberColumn(
          Int32Array.from(rows, (row) => row % 2),
          { name: "CLASS_LABEL", names: CLASSES },
        ),
      },
    ],
    [
      "b",
      {
        n: int32Column([1000, 1001, 1002]),
        video: bytesColumn([Buffer.alloc(9 << 20, 1), null, Buffer.alloc(100, 2)], { name: "VIDEO", blob: true }),
        text: textColumn(["zwölf", null, ""]),
        e: vectorColumn(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          { name: "EMBEDDING", size: 2 },
        ),
      },
    ],
  ])
})

describe("exportParquet", () => {
  it("writes every row and column in the table's order, but for the hidden ones", async () => {
    const path = join(out, "new folder", "all.parquet")
    const result = await exportParquet(uri, "media", path)
    expect(result).toEqual({ rows: ROWS + 3, bytes: (await readFile(path)).length })
    expect(await sql(`describe from '${path}'`)).toMatchObject([
      { column_name: "n", column_type: "INTEGER" },
      { column_name: "image", column_type: "STRUCT(bytes BLOB, path VARCHAR)" },
      { column_name: "label", column_type: "BIGINT" },
      { column_name: "video", column_type: "STRUCT(bytes BLOB, path VARCHAR)" },
      { column_name: "text", column_type: "VARCHAR" },
      { column_name: "e", column_type: "FLOAT[]" },
    ])
    const first = await sql(`select n, image.bytes as image, label from '${path}' limit ${ROWS}`)
    first.forEach(({ n, image, label }, row) => {
      expect([n, label]).toEqual([row, BigInt(row % 2)])
      if (row % 10 === 3) expect(image).toBeNull()
      else expect(picture(row).equals(image as Uint8Array), `picture ${row}`).toBe(true)
    })
    expect(
      await sql(
        `select n, octet_length(video.bytes) as size, text, e::text as e, image, label from '${path}' offset ${ROWS}`,
      ),
    ).toEqual([
      { n: 1000, size: BigInt(9 << 20), text: "zwölf", e: "[1.0, 2.0]", image: null, label: null },
      { n: 1001, size: null, text: null, e: "[3.0, 4.0]", image: null, label: null },
      { n: 1002, size: 100n, text: "", e: "[5.0, 6.0]", image: null, label: null },
    ])
  })

  it("writes the columns and rows that are asked for, in the order of the columns", async () => {
    const path = join(out, "some.parquet")
    expect((await exportParquet(uri, "media", path, { columns: ["label", "n"], where: "n >= 197" })).rows).toBe(6)
    expect(await sql(`from '${path}'`)).toEqual(
      [197, 198, 199, 1000, 1001, 1002].map((n) => ({ label: n < 1000 ? BigInt(n % 2) : null, n })),
    )
    const provenance = join(out, "hidden.parquet")
    await exportParquet(uri, "media", provenance, { columns: ["_item", "_row"], where: "n = 1001" })
    expect(await sql(`from '${provenance}'`)).toEqual([{ _item: "b", _row: 1 }])
  })

  it("leaves a file alone that is there, unless told otherwise", async () => {
    const path = join(out, "taken.parquet")
    await writeFile(path, "precious")
    const before = await readdir(out)
    await expect(exportParquet(uri, "media", path)).rejects.toThrow(
      new IngestError(`${path} exists already; choose another name, or have it overwritten (--overwrite)`),
    )
    expect(await readFile(path, "utf8")).toBe("precious")
    await exportParquet(uri, "media", path, { columns: ["n"], overwrite: true })
    expect(await sqlValues(`select count(*) from '${path}'`)).toEqual([BigInt(ROWS + 3)])
    expect(await readdir(out)).toEqual(before)
  })

  it("says what is wrong, and leaves nothing behind", async () => {
    const before = await readdir(out)
    const path = join(out, "none.parquet")
    await expect(exportParquet(uri, "nothing", path)).rejects.toThrow(TableError)
    await expect(exportParquet(uri, "media", path, { columns: ["pictures"] })).rejects.toThrow(
      /has no column "pictures" that can be read; it has n INT32, image IMAGE/,
    )
    await expect(exportParquet(uri, "media", path, { where: "width > 3" })).rejects.toThrow(ConfigError)
    expect(await readdir(out)).toEqual(before)
  })

  it("refuses to leave out a column of another tool's without a word", async () => {
    const db = await connect(uri)
    await (await db.createTable("foreign", [{ n: 1, place: { x: 1 } }])).close()
    db.close()
    const path = join(out, "foreign.parquet")
    await expect(exportParquet(uri, "foreign", path)).rejects.toThrow(
      /^Table "foreign": column "place" is Struct<\{x:Float64\}>, which is no type of Sluice's; name the columns/,
    )
    await exportParquet(uri, "foreign", path, { columns: ["n"] })
    expect(await sql(`from '${path}'`)).toEqual([{ n: 1 }])
  })
})
