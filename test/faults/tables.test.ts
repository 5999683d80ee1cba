/** Tables that are made to hold up or end the process: each is a failed item, and those beside it are read. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { expect, it } from "vitest"
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import { checkLastLine } from "../../src/readers/lines.ts"
import { ingest } from "../fixtures/dataset.ts"
import { tempFolder } from "../fixtures/temp.ts"

const LEVELS = 200_000
const nested = (open: string, close: string): string => open.repeat(LEVELS) + close.repeat(LEVELS)
/** More than DuckDB has of buffers for one line. */
const LONG = 260 << 20

it("are refused, in words, and cost no other file its rows", async () => {
  const folder = await tempFolder()
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content)
  await write("good.jsonl", '{"a":1}\n{"a":2}\n')
  // Finding out the types of so many levels ends the process, where nobody has looked before.
  await write("lists.jsonl", `{"a":1}\n{"a":${nested("[", "]")}}\n`)
  await write("objects.jsonl.gz", gzipSync(`{"a":${nested('{"a":', "}").replace(/:\}/, ":1}")}}\n`))
  await write("long.jsonl.gz", gzipSync(`{"t":"${"x".repeat(34 << 20)}"}\n`))
  // In texts, brackets nest nothing.
  await write("texts.jsonl", `${JSON.stringify({ t: '[{\\"'.repeat(5000) })}\n`)
  await write("columns.csv", `${"c,".repeat(20_000)}\n`)
  const { summary, failures } = await ingest(new Tabular({ path: folder }))
  expect(failures).toEqual({
    "columns.csv": expect.stringMatching(/Expected at most 10000 columns, found 10001 or more/),
    "lists.jsonl/0": expect.stringMatching(/lists\.jsonl: Expected JSON of at most 1000 levels in a line, found more/),
    "long.jsonl.gz": expect.stringMatching(/16777216 bytes/),
    "objects.jsonl.gz": expect.stringMatching(/Expected JSON of at most 1000 levels/),
  })
  expect(summary.items).toMatchObject({ listed: 6, done: 2, failed: 4 })
  expect(summary.rows).toBe(3)
})

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
    return checkLastLine({ path: packed, format: "csv" }, new AbortController().signal)
  }
  await expect(check(`a,b\n1,2\n${"x".repeat(17 << 20)}\n`)).rejects.toThrow(message)
  await check(`a,b\n1,2\n${`${"x".repeat(1 << 20)}\n`.repeat(17)}`)
})

it("with thousands of columns are read in seconds", async () => {
  const folder = await tempFolder()
  const keys = Array.from({ length: 2000 }, (_, index) => `"k${index}":${index}`)
  await writeFile(join(folder, "wide.jsonl"), `{${keys.join(",")}}\n`)
  const { rows } = await ingest(new Tabular({ path: folder }))
  expect(rows[0]).toMatchObject({ k0: 0n, k1999: 1999n })
})
