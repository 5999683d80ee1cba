/**
 * Runs that find (nearly) everything done: `node bench/memory-sync.ts [runs]` (default 2). To reach: a `sync` of
 * 1,000,000 unchanged items in 30 s and 600 MiB; from the start to the first commit 2 s on 10 M rows in 10,000 items,
 * and 1 s on 1,000,000 items of a row each.
 */
import { existsSync } from "node:fs"
import { cp, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { measureCall, withOutput } from "./harness.ts"
import { fill, type Many } from "./many-items.ts"

const folder = join(tmpdir(), "sluice-bench-memory-sync")
const runs = Number(process.argv[2] ?? 2)

const SMALL: Many = { items: 1_000_000, rows: 1 }
const LARGE: Many = { items: 10_000, rows: 1000 }

const prepare = async (many: Many): Promise<string> => {
  const uri = join(folder, `${many.items}x${many.rows}`)
  if (!existsSync(uri)) {
    const draft = `${uri}.draft`
    await rm(draft, { recursive: true, force: true })
    await fill(draft, many)
    await rename(draft, uri)
  }
  return uri
}

interface Question {
  readonly title: string
  readonly many: Many
  readonly call: "sync" | "resume"
  readonly args: readonly unknown[]
}

const QUESTIONS: readonly Question[] = [
  { title: "sync of 1,000,000 items of a row, nothing changed", many: SMALL, call: "sync", args: [] },
  { title: "sync of 1,000,000 items of a row, 100,000 vanished", many: SMALL, call: "sync", args: [10] },
  { title: "first commit after 1,000,000 items of a row", many: SMALL, call: "resume", args: [] },
  { title: "first commit after 10,000 items of 1,000 rows", many: LARGE, call: "resume", args: [] },
]

for (const { title, many, call, args } of QUESTIONS) {
  const table = await prepare(many)
  for (let count = 0; count < runs; count++) {
    await withOutput(async (uri) => {
      await cp(table, uri, { recursive: true })
      const { memory, output } = await measureCall("./many-items.ts", call, [uri, many, ...args])
      console.log(`| ${title} | ${Number(output).toFixed(2)} s | ${Math.round(memory)} MiB |`)
    })
  }
}
