/**
 * Peak memory of the export of pictures: `node bench/memory-export.ts [GiB]` (default 2), which also takes a tenth of
 * it. To reach: at most 1 GiB, and at most 1.15 times as much for ten times the input.
 */
import { randomFillSync } from "node:crypto"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { batchOf } from "../src/model/batch.ts"
import { bytesColumn, int32Column } from "../src/model/column.ts"
import { withHidden } from "../src/model/rows.ts"
import { lance } from "../src/sinks/lance.ts"
import { measureCall, withOutput } from "./harness.ts"

const PICTURE = 100_000
const ROWS = 400

const gib = Number(process.argv[2] ?? 2)

/** A table of bytes as random as those of pictures, of commits of 40 MB. */
const prepare = async (size: number): Promise<string> => {
  const uri = await mkdtemp(join(tmpdir(), "sluice-bench-memory-export-"))
  const writer = await lance({ uri, table: "t" }).open({ create: "new" })
  const commits = Math.ceil((size * 2 ** 30) / (ROWS * PICTURE))
  for (let commit = 1; commit <= commits; commit++) {
    const pictures = Array.from({ length: ROWS }, () => randomFillSync(new Uint8Array(PICTURE)))
    const batch = batchOf({
      n: int32Column(pictures.map((_, row) => commit * ROWS + row)),
      image: bytesColumn(pictures, { name: "IMAGE" }),
    })
    const span = { item: `item-${commit}`, version: "1", firstRow: 0, rows: ROWS, end: true, medium: "image" }
    await writer.write(withHidden(batch, [span], commit))
    await writer.commit()
  }
  await writer.close()
  return uri
}

const measure = (uri: string): Promise<string> =>
  withOutput(async (output) => {
    const file = join(output, "t.parquet")
    const { memory, seconds } = await measureCall("../src/dataset/parquet.ts", "exportParquet", [uri, "t", file])
    const size = ((await stat(file)).size / 2 ** 30).toFixed(2)
    return `| export of pictures, peak memory | ${size} GiB | ${Math.round(memory)} MiB | ${seconds.toFixed(1)} s |`
  })

for (const size of [gib / 10, gib]) {
  const uri = await prepare(size)
  try {
    console.log(await measure(uri))
  } finally {
    await rm(uri, { recursive: true })
  }
}
