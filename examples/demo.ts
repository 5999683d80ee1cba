/** The main job, from nothing: files of every medium become a table, which is then searched. */
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { files, filesPlan, inspectTable, lance, run, searchText } from "../src/index.ts"
import { makeFiles } from "./make-files.ts"

const root = await mkdtemp(join(tmpdir(), "sluice-demo-"))
const folder = join(root, "files")
const uri = join(root, "data")

console.log(`Making files in ${folder}`)
await makeFiles(folder)

const ingest = () =>
  run(
    filesPlan({
      name: "demo",
      source: files({ include: folder }),
      sink: lance({ uri, table: "demo", index: ["text"] }),
    }),
  )

const summary = await ingest()
console.log(
  `\n${summary.items.done} of ${summary.items.listed} files became ${summary.rows} rows in ${summary.seconds.toFixed(1)} s:`,
)
for (const [medium, rows] of Object.entries(summary.rowsByMedium)) console.log(`  ${medium.padEnd(8)} ${rows}`)

const table = await inspectTable(uri, "demo")
console.log(`\nThe table "demo" has the columns ${table.columns.map(({ name, type }) => `${name} ${type}`).join(", ")}`)

console.log('\nSearching for "gate keeper":')
for (const row of await searchText(uri, "demo", "gate keeper", { limit: 3 })) {
  console.log(
    `  ${Number(row._score).toFixed(2)}  ${String(row._item)}: ${String(row.text).replaceAll("\n", " ").slice(0, 70)}`,
  )
}

const again = await ingest()
console.log(`\nThe same once more: ${again.items.unchanged} files unchanged, ${again.rows} rows added.`)
console.log(`\nTo look around: npx sluice inspect demo --uri ${uri}`)
if (summary.items.done !== 6 || again.rows !== 0) process.exit(1)
