/** Reads two folders, of media and of tables, in a process of its own: `bombs-child.ts MEDIA TABLES`. */
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import type { Sink } from "../../src/model/sink.ts"
import { filesPlan, formatPlan, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { files } from "../../src/sources/files.ts"
import { watchMemory } from "../fixtures/peak.ts"
import { rowsOf } from "../fixtures/plans.ts"

const [, , media = "", tables = ""] = process.argv

const peak = watchMemory()
const settings = { workers: { threads: 1 }, maxItemBytes: 16 << 20 }
const outcomes: Record<string, string> = {}
const ingest = async (planTo: (sink: Sink) => Parameters<typeof run>[0]): Promise<void> => {
  const database = new MemoryDatabase()
  const { ending, items } = await run(planTo(memory({ table: "t", database })))
  if (ending !== "complete" || items.pending > 0) throw new Error(JSON.stringify({ ending, items }))
  for (const { _item } of rowsOf(database.rows("t"), ["_item"])) outcomes[String(_item)] = "done"
  for (const { _item, status, error } of rowsOf(database.rows("t__items")))
    outcomes[String(_item)] = `${status}: ${error}`
}
await ingest((sink) => filesPlan({ name: "media", source: files({ include: media }), sink }, settings))
await ingest((sink) => formatPlan({ name: "tables", format: new Tabular({ path: tables }), sink }, settings))
console.log(JSON.stringify({ outcomes, mebibytes: peak() }))
