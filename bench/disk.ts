/**
 * `npx node bench/disk.ts`: what tables take on the disk after many small commits, and how many files and versions they
 * are in. In the last case the clock is moved on by a minute between two runs, as the store keeps versions for an hour.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect } from "@lancedb/lancedb"
import { dice } from "../src/model/dice.ts"
import type { Format } from "../src/model/format.ts"
import { columnsPlan, formatPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"

const bytesOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )

const MIB = 2 ** 20

const report = async (what: string, uri: string, raw: number): Promise<void> => {
  const table = await (await connect(uri)).openTable("t")
  const { numFragments } = (await table.stats()).fragmentStats
  const versions = (await table.listVersions()).length
  const bytes = bytesOf(uri)
  console.log(
    `| ${what} | ${(raw / MIB).toFixed(1)} MiB | ${(bytes / MIB).toFixed(1)} MiB | ${(bytes / raw).toFixed(2)} | ${numFragments} | ${versions} |`,
  )
}

const COMMITS = 1000
const ROWS = 20

const rowsOf = (size: number, blob: boolean): Format => ({
  name: "rows",
  schema: () => (blob ? { value: "BINARY" } : {}),
  *normalize() {
    const next = dice(1)
    for (let commit = 0; commit < COMMITS; commit++) {
      yield {
        n: Array.from({ length: ROWS }, (_, row) => commit * ROWS + row),
        value: Array.from({ length: ROWS }, () => {
          const bytes = Uint8Array.from({ length: size }, () => next() * 256)
          return blob ? bytes : Buffer.from(bytes).toString("base64")
        }),
      }
    }
  },
})

const root = mkdtempSync(join(tmpdir(), "sluice-bench-disk-"))
console.log("| table | data | on the disk | ratio | files | versions |\n|---|---|---|---|---|---|")
for (const [what, size, blob] of [
  ["1,000 commits of 20 rows of 100 bytes", 75, false],
  ["1,000 commits of 20 pictures of 20 KB", 20_000, true],
] as const) {
  const uri = join(root, String(size))
  await run(
    formatPlan(
      { name: "disk", format: rowsOf(size, blob), sink: lance({ uri, table: "t" }) },
      { flushEvery: ROWS, commitEvery: ROWS },
    ),
  )
  await report(what, uri, COMMITS * ROWS * (blob ? size : 110))
  rmSync(uri, { recursive: true })
}

let shift = 0
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...args: [] | [string | number | Date]) {
    super(...((args.length === 0 ? [RealDate.now() + shift] : args) as [number]))
  }
  static override now(): number {
    return RealDate.now() + shift
  }
} as DateConstructor

const RUNS = 1500
const uri = join(root, "minutes")
for (let at = 0; at < RUNS; at++) {
  shift = at * 60_000
  await run(columnsPlan({ name: "disk", sink: lance({ uri, table: "t" }), data: { n: [at], text: [`row ${at}`] } }))
  if ((at + 1) % 500 === 0) await report(`${at + 1} runs of one row, a minute apart`, uri, (at + 1) * 100)
}
rmSync(root, { recursive: true })
