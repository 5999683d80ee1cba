/** Stages and plugins of documents: what they do in a run, and what is said where they cannot be used. */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { forecast } from "../../src/engine/forecast.ts"
import { start } from "../../src/pipeline.ts"
import { preview } from "../../src/preview.ts"
import { loadPipeline } from "../fixtures/pipeline.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

let dir = ""

const CODE = `
import { threadId } from "node:worker_threads"

interface Batch { readonly rows: number; readonly column: (name: string) => readonly (string | null)[] }

let failures = 1

export const size = (batch: Batch) => {
  if (failures-- > 0) throw new Error("not yet")
  return { size: batch.column("text").map((text) => text?.length ?? null) }
}
export const long = (batch: Batch) => batch.column("text").map((text) => (text?.length ?? 0) > 3)
export const thread = (batch: Batch) => ({ thread: new Array(batch.rows).fill(threadId) })
export const answer = 42
`

const SOURCE = (type: string) => `
import { Source } from ${JSON.stringify(new URL("../../src/model/source.ts", import.meta.url).href)}

export const source = Source.define({
  type: "${type}",
  description: "Texts that stand in the document.",
  fields: { texts: { type: "texts", description: "The texts." } },
  make: ({ texts }) => ({
    name: "${type}",
    items: async function* () {
      for (const text of [texts].flat()) yield { id: text, uri: text, version: "1", bytes: 0, payload: null }
    },
  }),
})
`

const PACKAGE = { name: "words", type: "module", exports: { ".": { import: "./words.js" } } }

beforeAll(async () => {
  dir = await tempFolder()
  await mkdir(join(dir, "pipes/node_modules/words"), { recursive: true })
  await mkdir(join(dir, "docs"))
  await writeFile(join(dir, "pipes/code.ts"), CODE)
  await writeFile(join(dir, "pipes/broken.ts"), `const a = 1\nthrow new Error("not today" + a)\n`)
  await writeFile(join(dir, "pipes/inline.ts"), SOURCE("inline"))
  await writeFile(join(dir, "pipes/files.ts"), SOURCE("files"))
  await writeFile(join(dir, "pipes/torn.js"), "export const = 1\n")
  await writeFile(join(dir, "pipes/node_modules/words/package.json"), JSON.stringify(PACKAGE))
  await writeFile(
    join(dir, "pipes/node_modules/words/words.js"),
    `export const count = (batch) => ({ words: batch.column("text").map((text) => text.split(" ").length) })\n`,
  )
  for (const [name, text] of Object.entries({ a: "a", b: "b b b", c: "c c c c" })) {
    await writeFile(join(dir, `docs/${name}.txt`), text)
  }
})

const write = async (text: string, name = "p"): Promise<string> => {
  const file = join(dir, `pipes/${name}.yaml`)
  const source = `{ type: files, include: ${JSON.stringify(join(dir, "docs"))} }`
  await writeFile(file, `version: 1\nname: p\nsource: ${source}\n${text}\n`)
  return file
}

const SINK = "sink: { type: lance, uri: ./data, table: t, mode: sync }"

const STAGES = `sink: { type: memory, table: t, mode: sync }
plugins: [./code.ts, words]
stages:
  - { map: thread, workers: true, code: { module: ./code.ts, export: thread }, columns: { thread: INT32 } }
  - { filter: long, code: { module: ./code.ts, export: long } }
  - map: size
    code: { module: ./code.ts, export: size }
    columns: { size: INT32 }
    batch: 2
    concurrency: 2
    per_second: "1000"
    timeout: 5s
  - { map: words, code: { module: words, export: count }, columns: { words: INT64 }, retries: 0 }
`

describe("stages of a document", () => {
  it("run functions of files beside the document and of packages, on the main thread and in workers", async () => {
    const { plan } = await loadPipeline(await write(STAGES), {})
    expect(plan.stages.map(({ kind, name }) => [kind, name])).toEqual([
      ["filter", "long"],
      ["map", "size"],
      ["map", "words"],
    ])
    expect(plan.stages[1]).toMatchObject({ batch: 2, concurrency: 2, retries: 3, perSecond: 1000, timeout: 5000 })
    expect((await forecast(plan)).shares.new.items).toBe(3)
    const { rows, schema } = await preview(plan)
    expect(rows.map(({ text, size, words }) => [text, size, words])).toEqual([
      ["b b b", 5, 3n],
      ["c c c c", 7, 4n],
    ])
    for (const { thread } of rows) expect(thread).toBeGreaterThan(0)
    expect(schema.get("size")).toEqual({ name: "INT32" })
    expect((await start(plan).result).items).toMatchObject({ done: 2, empty: 1, failed: 0 })
  })

  it("are a part of the version of items", async () => {
    const versions = async (stages: string) => {
      const { plan } = await loadPipeline(await write(`${SINK}\nplugins: ./code.ts\n${stages}`), {})
      return plan.feed.route({ id: "a.txt", uri: "a.txt", version: "1", payload: null, bytes: 1 }).recipe
    }
    const filter = (revision: string) =>
      `stages: [{ filter: long, code: { module: ./code.ts, export: long }${revision} }]`
    const [none, one, same, other] = [
      await versions(""),
      await versions(filter("")),
      await versions(filter(", revision: 1")),
      await versions(filter(", revision: 2")),
    ]
    expect(one).toBe(same)
    expect(new Set([none, one, other]).size).toBe(3)
  })

  it("are run by the command line", { timeout: 60_000 }, async () => {
    await write(STAGES.replace("type: memory", "type: lance, uri: ./data"), "cli")
    const { code, stdout } = await sluice(["run", "pipes/cli.yaml", "--json"], { cwd: dir })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ rows: 2, items: { done: 2, empty: 1 } })
  })
})

it("plugins bring types of sources", async () => {
  const text = await readFile(await write(`${SINK}\nplugins: [./inline.ts]`), "utf8")
  const file = join(dir, "pipes/inline.yaml")
  await writeFile(file, text.replace(/^source: .*$/m, "source: { type: inline, texts: [a, b] }"))
  const { plan } = await loadPipeline(file, {})
  expect((await forecast(plan)).shares.new).toMatchObject({ items: 2, examples: ["a", "b"] })
})

const problems = async (text: string): Promise<string[]> => {
  const file = await write(`${SINK}\n${text}`, "wrong")
  const error: unknown = await loadPipeline(file, {}).catch((reason: unknown) => reason)
  return String((error as Error).message)
    .replaceAll(join(dir, "pipes"), "PIPES")
    .split("\n")
}

const WRONG: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "plugins that cannot be had",
    `plugins: [./gone.ts, code.ts, ./notes.md, "node:fs", "https://example.com/x.js", nopackage, ./code.ts, ./code.ts]`,
    [
      "PIPES/wrong.yaml:5:11  plugins[0]: there is no such file: PIPES/gone.ts",
      "PIPES/wrong.yaml:5:22  plugins[1]: there is no such package to be found from PIPES; a file of that name is ./code.ts",
      "PIPES/wrong.yaml:5:31  plugins[2]: expected a file of TypeScript or JavaScript (.ts, .js, .mts, .mjs, .cts, .cjs), found PIPES/notes.md",
      "PIPES/wrong.yaml:5:43  plugins[3]: expected a file such as ./embed.ts, relative to the document, or the name of a package",
      "PIPES/wrong.yaml:5:54  plugins[4]: expected a file such as ./embed.ts, relative to the document, or the name of a package",
      "PIPES/wrong.yaml:5:82  plugins[5]: there is no such package to be found from PIPES",
      "PIPES/wrong.yaml:5:104  plugins[7]: this plugin is listed twice",
    ],
  ],
  [
    "a plugin with a source that there is already",
    "plugins: [./code.ts, ./files.ts]",
    [
      'PIPES/wrong.yaml:5:22  plugins[1]: plugin "./files.ts": expected a source of a name of its own, found another "files"',
    ],
  ],
  [
    "a plugin that throws",
    "plugins: [./broken.ts]",
    ["PIPES/wrong.yaml:5:11  plugins[0]: cannot be loaded: PIPES/broken.ts:2:7: not today1"],
  ],
  [
    "code that no plugin has",
    `plugins: [./code.ts]
stages:
  - { map: a, code: { module: ./cod.ts, export: size }, columns: { a: TEXT } }
  - { map: b, code: { module: words, export: count }, columns: { b: TEXT } }
  - { map: c, code: { module: ./code.ts, export: sise }, columns: { c: TEXT } }
  - { filter: d, code: { module: ./code.ts, export: answer } }
  - { map: e, code: { module: ./code.ts, export: size }, columns: { e: EMBEDDING } }`,
    [
      'PIPES/wrong.yaml:7:31  stages[0].code.module: expected a module that "plugins" lists, found "./cod.ts"; did you mean "./code.ts"?; only those are loaded',
      'PIPES/wrong.yaml:8:31  stages[1].code.module: expected a module that "plugins" lists, found "words"; there are ./code.ts; only those are loaded',
      'PIPES/wrong.yaml:9:50  stages[2].code.export: ./code.ts has no export "sise"; did you mean "size"?',
      "PIPES/wrong.yaml:10:53  stages[3].code.export: expected a function of a batch, found 42",
      'PIPES/wrong.yaml:11:5  stages[4]: map "e": column "e": expected how many numbers a vector has, as in EMBEDDING(384), found EMBEDDING',
    ],
  ],
  [
    "stages that contradict themselves",
    `plugins: [./code.ts]
stages:
  - { code: { module: ./code.ts, export: size } }
  - { map: a, filter: b, code: { module: ./code.ts, export: size } }
  - { map: c, code: { module: ./code.ts, export: size } }
  - { filter: d, columns: { d: TEXT }, batch: 3, code: { module: ./code.ts, export: long } }
  - { map: d, workers: true, batch: 3, code: { module: ./code.ts, export: size }, columns: { d: TEXT } }`,
    [
      "PIPES/wrong.yaml:7:5  stages[0]: expected a map or a filter, with its name; found neither",
      "PIPES/wrong.yaml:8:15  stages[1].filter: a stage is a map or a filter; make two of them",
      "PIPES/wrong.yaml:9:5  stages[2].columns: missing; a map says which columns it gives",
      "PIPES/wrong.yaml:10:18  stages[3].columns: this is for a map, not for a filter; leave this out",
      "PIPES/wrong.yaml:10:40  stages[3].batch: this is for a map, not for a filter; leave this out",
      "PIPES/wrong.yaml:11:12  stages[4].map: another stage has this name; expected one of its own",
      'PIPES/wrong.yaml:11:24  stages[4].workers: a map in the workers comes before the other stages, found it after map "a"',
      "PIPES/wrong.yaml:11:30  stages[4].batch: a map in the workers is called with rows as they come; leave this out",
    ],
  ],
  [
    "keys and values of stages",
    `plugins: [3]
stages:
  - { map: 3, cod: x, columns: { a: TXT }, batch: 0, per_second: 0, timeout: fast, revision: -1 }`,
    [
      "PIPES/wrong.yaml:5:11  plugins[0]: expected text, found 3; put it in quotes",
      "PIPES/wrong.yaml:7:5  stages[0].code: missing; it is required",
      "PIPES/wrong.yaml:7:12  stages[0].map: expected text, found 3; put it in quotes",
      'PIPES/wrong.yaml:7:15  stages[0].cod: unknown key; did you mean "code"?',
      expect.stringMatching(
        /^PIPES\/wrong\.yaml:7:37 {2}stages\[0\]\.columns\.a: .*expected a column type .* found "TXT"$/,
      ),
      "PIPES/wrong.yaml:7:51  stages[0].batch: expected a whole number of at least 1, found 0",
      "PIPES/wrong.yaml:7:66  stages[0].per_second: expected a number of at least 0.001, found 0",
      'PIPES/wrong.yaml:7:78  stages[0].timeout: expected a duration such as "10s" from 1 to 2147483647 ms, found "fast"',
      "PIPES/wrong.yaml:7:94  stages[0].revision: expected a whole number of at least 0, found -1",
    ],
  ],
  ["stages that are none", "stages: { map: a }", ["PIPES/wrong.yaml:5:9  stages: expected a list, found a mapping"]],
  [
    "a type that a stage gives",
    "plugins: [./code.ts]\nschema: { size: INT64 }\nstages: [{ map: size, code: { module: ./code.ts, export: size }, columns: { size: INT32 } }]",
    ['PIPES/wrong.yaml:6:17  schema.size: map "size" gives this column; say its type there'],
  ],
]

describe("what is said of a document", () => {
  it.each(WRONG)("with %s", async (_, text, expected) => {
    expect(await problems(text)).toEqual(expected)
  })

  it("with a plugin that is no JavaScript", async () => {
    expect((await problems("plugins: [./torn.js]"))[0]).toMatch(
      /^PIPES\/wrong\.yaml:5:11 {2}plugins\[0\]: cannot be loaded: PIPES\/torn\.js.*: /,
    )
  })
})
