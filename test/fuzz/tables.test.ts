/** Damaged tables: rows as far as a file that is cut off still is a table, or one record. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { constants, gzipSync, zstdCompressSync } from "node:zlib"
import { expect, it } from "vitest"
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import { writeParquet } from "../fixtures/duckdb.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { type Good, type Mutant, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, folderOf, linesOf, lostOnes, type Outcome, runFormat, silentOnes } from "./outcomes.ts"

const ROWS = 60
const SCHEMA = { id: "INT64", name: "TEXT", value: "FLOAT64", flag: "BOOL" } as const

const values = Array.from({ length: ROWS }, (_, id) => ({ id, name: `name, ${id}`, value: id / 4, flag: id % 2 === 0 }))
const csv = (comma: string): string =>
  [Object.keys(SCHEMA), ...values.map(({ id, name, value, flag }) => [id, `"${name}"`, value, flag])]
    .map((fields) => `${fields.join(comma)}\n`)
    .join("")
const jsonl = values.map((row) => `${JSON.stringify(row)}\n`).join("")

const packed = {
  gz: gzipSync,
  zst: (text: string) => zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
}

const folder = await tempFolder()

const parquet = async (name: string, options: string, more = ""): Promise<Good> => {
  const select = `i AS id, 'name, ' || i AS name, i / 4 AS value, i % 2 = 0 AS flag${more}`
  const path = await writeParquet(join(folder, `${name}.parquet`), ROWS, select, options)
  return { name, extension: "parquet", bytes: readFileSync(path) }
}

const text = (name: string, extension: string, content: string | Uint8Array): Good => ({
  name,
  extension,
  bytes: typeof content === "string" ? Buffer.from(content) : content,
})

const GOODS = [
  text("commas", "csv", csv(",")),
  text("tabs", "tsv", csv("\t")),
  text("csv", "csv.gz", packed.gz(csv(","))),
  text("csv", "csv.zst", packed.zst(csv(","))),
  text("lines", "jsonl", jsonl),
  text("jsonl", "jsonl.gz", packed.gz(jsonl)),
  text("jsonl", "ndjson.zst", packed.zst(jsonl)),
  await parquet("plain", ", COMPRESSION uncompressed"),
  await parquet("zstd", ", COMPRESSION zstd", ", [i, 2, 3]::FLOAT[] AS list, {'a': i, 'b': 'x'} AS nested"),
  await parquet("snappy", ", COMPRESSION snappy, PARQUET_VERSION v2"),
]

const MUTANTS = [...GOODS.flatMap((good) => mutantsOf(good)), ...swappedOf(GOODS)]

const plain = ({ rows }: Outcome): readonly unknown[] =>
  rows.map(({ id, name, value, flag }) => ({ id: Number(id), name, value, flag }))

/** Rows are those of the file; of its last one, what is left. */
const isBeginning = (outcome: Outcome, count: number, whole: number): boolean => {
  const rows = plain(outcome)
  return rows.length === count && JSON.stringify(rows.slice(0, whole)) === JSON.stringify(values.slice(0, whole))
}

/** What a text that is cut off still is, is a table as well: nothing tells that there was more of it. */
const isFine = (mutant: Mutant, outcome: Outcome): boolean => {
  const { kind, from } = mutant
  const { extension } = from
  // Compressed data ends with a checksum.
  if (/\.(gz|zst)$/.test(extension)) return kind !== "cut" && isBeginning(outcome, ROWS, ROWS)
  if (kind !== "cut") return true
  if (extension === "parquet") return false
  const lines = linesOf(mutant).length
  return extension === "jsonl" ? isBeginning(outcome, lines, lines) : isBeginning(outcome, lines - 1, lines - 2)
}

it(
  "are rows or one record each, and none that is cut off passes for whole",
  async () => {
    const format = new Tabular({ path: await folderOf(MUTANTS) })
    const ran = await runFormat("tables", format, { schema: SCHEMA })
    checkRun(ran, MUTANTS)
    expect(silentOnes(ran, MUTANTS, isFine)).toEqual([])
    expect(lostOnes(ran, MUTANTS)).toEqual([])
  },
  TIMEOUT,
)
