/**
 * Peak memory of the process tree on a large Parquet file: `node bench/memory-tabular.ts [GiB]` (default 5), which also
 * takes a tenth of it. To reach: at most 1 GiB, and at most 1.15 times as much for ten times the input.
 */
import { existsSync } from "node:fs"
import { mkdir, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { measureCall, withOutput } from "./harness.ts"
import { type TableShape, writeParquet } from "./inputs.ts"

/** Values that do not compress, so that the file is as large as its rows: about 1.3 KB each. */
const SHAPE: TableShape = [
  "i::BIGINT AS id",
  ...Array.from({ length: 20 }, (_, column) => `sin(i * ${column + 1}) AS value_${column}`),
  "[sin(i * 256 + j)::FLOAT FOR j IN range(256)] AS embedding",
  "'text ' || sha256(i::VARCHAR) AS text",
]
const ROW_BYTES = 1284
/** 26 MB a row group. With DuckDB's default, pages have 128 MiB, and two of them are held whole. */
const GROUP = 20_480

const folder = join(tmpdir(), "sluice-bench-memory-tabular")
const gib = Number(process.argv[2] ?? 5)

const prepare = async (name: string, size: number): Promise<string> => {
  const file = join(folder, `${name}-${size}.parquet`)
  if (!existsSync(file)) await writeParquet(file, SHAPE, Math.ceil((size * 2 ** 30) / ROW_BYTES), GROUP)
  return file
}

await mkdir(folder, { recursive: true })
for (const size of [gib / 10, gib]) {
  const input = await prepare("rows", size)
  const bytes = (await stat(input)).size
  const { memory, seconds } = await withOutput((output) => measureCall("./tabular.ts", "ourTable", [input, output]))
  console.log(
    `| tabular, peak memory | ${(bytes / 2 ** 30).toFixed(2)} GiB | ${Math.round(memory)} MiB | ${seconds.toFixed(1)} s |`,
  )
}
