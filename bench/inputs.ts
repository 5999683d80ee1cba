/** Inputs for the benches, made by code. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import sharp from "sharp"
import { dice } from "../src/model/dice.ts"
import { words } from "../test/fixtures/folder.ts"

/** Texts of 500 to 8,000 characters. */
export const writeTexts = async (folder: string, count: number): Promise<void> => {
  const next = dice(1)
  for (let i = 0; i < count; i++) {
    await writeFile(
      join(folder, `text-${String(i).padStart(6, "0")}.txt`),
      words(100 + Math.floor(next() * 1300), next),
    )
  }
}

/** A picture with structure and noise, so that it compresses about as a photograph does. */
export const photograph = async (width: number, height: number, seed: number, quality = 85): Promise<Buffer> => {
  const next = dice(seed)
  const small = Buffer.from(Array.from({ length: 48 * 36 * 3 }, () => Math.floor(next() * 256)))
  const grain = Buffer.from(Array.from({ length: 256 * 256 }, () => 118 + Math.floor(next() * 20)))
  const noise = await sharp(grain, { raw: { width: 256, height: 256, channels: 1 } })
    .png()
    .toBuffer()
  return sharp(small, { raw: { width: 48, height: 36, channels: 3 } })
    .resize(width, height, { kernel: "cubic", fit: "fill" })
    .composite([{ input: noise, tile: true, blend: "soft-light" }])
    .jpeg({ quality })
    .toBuffer()
}

/** JPEGs of one size; eight different ones, and every file told apart by a comment segment. */
export const writeJpegs = async (folder: string, count: number, width: number, height: number): Promise<void> => {
  const originals = await Promise.all(Array.from({ length: 8 }, (_, i) => photograph(width, height, i + 1)))
  for (let i = 0; i < count; i++) {
    const original = originals[i % originals.length] ?? Buffer.alloc(0)
    const comment = Buffer.from(`\xff\xfe\x00\x0anumber${String(i).padStart(6, "0")}`, "latin1")
    comment.writeUInt16BE(comment.length - 2, 2)
    const file = Buffer.concat([original.subarray(0, 2), comment, original.subarray(2)])
    await writeFile(join(folder, `image-${String(i).padStart(6, "0")}.jpg`), file)
  }
}

/** Columns as SQL expressions over the row number `i`. */
export type TableShape = readonly string[]

/** A Parquet file of `rows` rows, in row groups of `group` rows (default: DuckDB's). */
export const writeParquet = async (file: string, shape: TableShape, rows: number, group = 122_880): Promise<void> => {
  const instance = await DuckDBInstance.create(":memory:")
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT ${shape.join(", ")} FROM range(${rows}) t(i)) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE ${group})`,
  )
  connection.closeSync()
  instance.closeSync()
}
