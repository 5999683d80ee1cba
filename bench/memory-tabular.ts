/**
 * Peak memory of the process tree on a large Parquet file: `node bench/memory-tabular.ts [GiB]` (default 5), which also
 * takes a tenth of it. To reach: at most 1 GiB, and at most 1.15 times as much for ten times the input.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { treeMemory } from "./harness.ts"
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

const measure = async (input: string): Promise<{ readonly peak: number; readonly seconds: number }> => {
  const output = await mkdtemp(join(tmpdir(), "sluice-bench-out-"))
  const started = performance.now()
  const code = `import { ourTable } from ${JSON.stringify(new URL("./tabular.ts", import.meta.url).href)}
await ourTable(${JSON.stringify(input)}, ${JSON.stringify(output)})`
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    stdio: ["ignore", "ignore", "inherit"],
  })
  let peak = 0
  const timer = setInterval(() => {
    if (child.pid) peak = Math.max(peak, treeMemory(child.pid))
  }, 100)
  const [status] = await once(child, "close")
  clearInterval(timer)
  await rm(output, { recursive: true, force: true })
  if (status !== 0) throw new Error(`${input} ended with ${status}`)
  return { peak, seconds: (performance.now() - started) / 1000 }
}

await mkdir(folder, { recursive: true })
for (const size of [gib / 10, gib]) {
  const input = await prepare("rows", size)
  const bytes = (await stat(input)).size
  const { peak, seconds } = await measure(input)
  console.log(
    `| tabular, peak memory | ${(bytes / 2 ** 30).toFixed(2)} GiB | ${Math.round(peak)} MiB | ${seconds.toFixed(1)} s |`,
  )
}
