/** Tables that were passed over in silence, or took minutes (what is nested too deep or unpacks too far: test/fuzz). */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { expect, it } from "vitest"
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import { checkEnd } from "../../src/readers/end.ts"
import { ingest } from "../fixtures/dataset.ts"
import { tempFolder } from "../fixtures/temp.ts"

/** More than DuckDB has of buffers for one line. */
const LONG = 260 << 20

it("of CSV whose last line is too long are no tables without it", async () => {
  const folder = await tempFolder()
  await writeFile(join(folder, "cut.csv"), Buffer.concat([Buffer.from("a,b\n1,2\n"), Buffer.alloc(LONG, "x")]))
  const { failures, rows } = await ingest(new Tabular({ path: folder }))
  const message = /Expected lines of at most 16\.0 MiB, found a longer one at the end/
  expect(failures).toEqual({ "cut.csv": expect.stringMatching(message) })
  expect(rows).toEqual([])
  const check = async (content: string) => {
    const packed = join(folder, "packed.csv.gz")
    await writeFile(packed, gzipSync(content, { level: 1 }))
    return checkEnd({ path: packed, format: "csv" })
  }
  await expect(check(`a,b\n1,2\n${"x".repeat(17 << 20)}\n`)).rejects.toThrow(message)
  await check(`a,b\n1,2\n${`${"x".repeat(1 << 20)}\n`.repeat(17)}`)
})

// Planned as others are, these would take more than half a minute on a fast machine.
it("with thousands of columns are read in seconds", async () => {
  const folder = await tempFolder()
  const keys = Array.from({ length: 2000 }, (_, index) => `"k${index}":${index}`)
  await writeFile(join(folder, "wide.jsonl"), `{${keys.join(",")}}\n`)
  const { rows } = await ingest(new Tabular({ path: folder }))
  expect(rows[0]).toMatchObject({ k0: 0n, k1999: 1999n })
})
