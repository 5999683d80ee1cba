/** What `sluice validate` says that a pipeline promises. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { loadPipeline } from "../fixtures/pipeline.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ONCE = "exactly once: each row of each version of an item is in the table once, however often runs are killed"
const PROCESS =
  "durability: a commit survives the end of the process, but a loss of power can cost it (durability: fsync)"
const POWER = "durability: a commit survives a loss of power"
const STAGES =
  "stages are called at least once: again for rows that a killed run had not committed, and when a call fails"

const FILES = "source: { type: files, include: docs }"
const lance = (more = "") => `sink: { type: lance, table: t${more} }`

const MODEL = new URL("../../src/model/", import.meta.url).href

const PLUGIN = `
import { Format } from "${MODEL}format.ts"
import { Sink } from "${MODEL}sink.ts"

const numbers = (name) => Format.define({
  type: name ?? "nameless",
  description: "Numbers.",
  fields: {},
  make: () => ({ ...(name && { name }), *normalize() { yield { n: [1] } } }),
})

export const nameless = numbers()
export const named = numbers("named")
export const cloud = Sink.define({ type: "cloud", description: "x", fields: {}, make: () => ({ name: "cloud" }) })
export const keep = () => []
`

let file = ""
beforeAll(async () => {
  file = join(await tempFolder(), "p.yaml")
  await writeFile(join(file, "../parts.js"), PLUGIN)
})

const write = (lines: readonly string[]) =>
  writeFile(file, ["version: 1", "name: p", "plugins: [./parts.js]", ...lines].join("\n"))

describe("a pipeline promises", () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    ["each row once", [FILES, lance()], [ONCE, PROCESS]],
    ["also through a loss of power", [FILES, lance(", mode: sync, durability: fsync")], [ONCE, POWER]],
    ["... in Parquet files", [FILES, "sink: { type: parquet, table: t }"], [ONCE, POWER]],
    [
      "nothing of what is in memory",
      [FILES, "sink: { type: memory, table: t }"],
      ["nothing is kept: the rows are gone when the run ends"],
    ],
    [
      "to start over",
      [FILES, lance(", mode: replace")],
      [
        ONCE,
        "mode replace: a run that is cut leaves a part of the new rows; the next one starts over and ends with all of them",
        PROCESS,
      ],
    ],
    [
      "to refuse a table, also its own",
      [FILES, lance(", mode: error")],
      [
        ONCE,
        "mode error: a run that is cut leaves its table, which the next one refuses; drop it, or go on with mode append",
        PROCESS,
      ],
    ],
    [
      "calls of stages at least once",
      [FILES, "stages: [{ filter: keep, code: { module: ./parts.js, export: keep } }]", lance()],
      [ONCE, PROCESS, STAGES],
    ],
    [
      "nothing of the kind of a format without a name",
      ["format: { type: nameless }", lance()],
      [
        "new in every run: the format nameless has no name, so each run adds all of its rows again, a killed one the part that it had committed",
        PROCESS,
      ],
    ],
    ["each row of one with a name once", ["format: { type: named }", lance()], [ONCE, PROCESS]],
    [
      "what a sink of someone else keeps",
      [FILES, "sink: { type: cloud }"],
      [ONCE, "durability: as far as its sink cloud keeps what it has committed, all of it or nothing"],
    ],
  ])("%s", async (_, lines, expected) => {
    await write(lines)
    expect((await loadPipeline(file, {})).guarantee).toEqual(expected)
  })
})
