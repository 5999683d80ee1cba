// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what variables in documents look like
/** Canaries in every place where a secret can be: none of them sings in what a run says, writes or leaves behind. */
import { readdirSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { listTables } from "../../src/dataset/catalog.ts"
import { readRows } from "../../src/dataset/rows.ts"
import { listRuns } from "../../src/dataset/runs.ts"
import { collect } from "../fixtures/collect.ts"
import { numbers } from "../fixtures/hub/datasets.ts"
import { startHub } from "../fixtures/hub.ts"
import { loadPipeline } from "../fixtures/pipeline.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each run is a process of its own.
vi.setConfig({ testTimeout: 120_000 })

const TOKEN = "hf_canaryCANARYcanary"
/** In every address that the stand-in's storage has. */
const SIGNATURE = "secret-signature"
const CANARIES = [TOKEN, SIGNATURE, "CANARY", Buffer.from(TOKEN).toString("base64")]

const expectSilence = (text: string): void => {
  for (const canary of CANARIES) expect(text).not.toContain(canary)
}

/** Every row of every table, as the tables' readers give it: the files may be packed. */
const everyRow = async (uri: string): Promise<string> => {
  const rows: unknown[] = await listRuns(uri)
  for (const table of await listTables(uri, { internal: true })) {
    for (const row of await collect(readRows(uri, table, { hidden: true }))) rows.push(row)
  }
  return JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : value))
}

const everyFile = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name)).toString("latin1")}`)
    .join("\n")

it("the token of the Hub and the signatures of its storage", async () => {
  const hub = await startHub()
  const files = await numbers(3, 10)
  hub.push(
    "o/d",
    { ...files, "data/train-00001-of-00003.parquet": "no table, and large enough for LFS" },
    { lfsFrom: 1 },
  )
  const dataset = hub.datasets.get("o/d")
  if (dataset) dataset.token = TOKEN
  const cwd = await tempFolder()
  await writeFile(
    join(cwd, "p.yaml"),
    'version: 1\nname: p\nsource: { type: huggingface, repo: o/d, token: "${CANARY}", cache_dir: ./cache }\nsink: { type: lance, table: t }\n',
  )
  const env = { HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN, CANARY: TOKEN }
  // The storage refuses one file: the error is about the address that has the signature, in words that have the token.
  const words = JSON.stringify({ error: `${TOKEN} may not` })
  hub.faults.push({ path: "/lfs/", status: 400, headers: { "content-type": "application/json" }, text: words })
  const outputs: string[] = []
  const tell = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await sluice(args, { cwd, env })
    outputs.push(stdout, stderr)
    return { code, text: stdout + stderr }
  }
  const first = await tell("run", "p.yaml", "--json")
  expect(first.text).toMatch(/"listed":3,"done":1,.*"failed":2,/)
  expect(first.text).toMatch(/\/lfs\/[0-9a-f]{64}: 400 Bad Request: \.\.\. may not/)
  expect((await tell("dead-letters", "t", "--format", "json")).code).toBe(0)
  if (dataset) dataset.token = "hf_another"
  expect((await tell("run", "p.yaml", "--set", `source.token=${TOKEN}`, "--set", `source.tokn=${TOKEN}`)).code).toBe(2)
  const refused = await tell("run", "p.yaml", "--set", `source.token=${TOKEN}`)
  expect(refused).toMatchObject({ code: 1, text: expect.stringMatching(/refuses the token|is not at/) })
  expect(hub.seen.some(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true)

  expectSilence(outputs.join("\n"))
  expectSilence(await everyRow(join(cwd, "data")))
  expectSilence(everyFile(join(cwd, "data")))
  expectSilence(JSON.stringify(readdirSync(cwd, { recursive: true })))
})

it("what a variable of the environment stands for, wherever a document puts it", async () => {
  const file = join(await tempFolder(), "p.yaml")
  const V = '"${SECRET}"'
  const values: readonly (readonly [string, string])[] = [
    ["a value of each kind", `name: a\nsource: { type: files, include: docs, hidden: ${V}, symlinks: ${V} }`],
    ["an address with a password", `name: a\nsource: { type: huggingface, repo: ${V}, hub_url: ${V}, limit: ${V} }`],
    ["a type", `name: a\nsource: { type: ${V} }`],
    [
      "settings",
      `name: a\nsource: { type: files, include: d }\nflush_every: ${V}\nworkers: { timeout: ${V} }\nschema: { x: ${V} }`,
    ],
    [
      "an address in place of a path",
      `name: a\nformat: { type: tabular, path: d, format: ${V} }\nerrors: { max_ratio: ${V} }`,
    ],
  ]
  for (const secret of ["CANARY", 'CANARY"\\\n', "https://user:CANARY@host/x?sig=CANARY"]) {
    for (const [what, text] of values) {
      await writeFile(file, `version: 1\n${text}\nsink: { type: lance, table: ${V}, uri: ${V}, mode: ${V} }\n`)
      const error: unknown = await loadPipeline(file, { SECRET: secret }, ["contract=${SECRET}"]).catch(
        (e: unknown) => e,
      )
      expect(String(error), what).toMatch(/^ConfigError: .*\$\{SECRET\}/s)
      expectSilence(String(error))
    }
  }
})

it("passwords and signatures in addresses that people give", async () => {
  const cwd = await tempFolder()
  const address = "https://user:CANARY@host.example/a.pdf?X-Amz-Signature=CANARY"
  const outputs = [
    await sluice(["ingest", address, "--table", "t"], { cwd }),
    await sluice(["ingest", ".", "--table", "t", "--uri", "s3://key:CANARY@bucket"], { cwd }),
    await sluice(["push", "t", "o/d"], { cwd, env: { HF_TOKEN: "CANARY", HF_ENDPOINT: address } }),
  ]
  for (const { code, stdout, stderr } of outputs) {
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/host\.example|bucket|token/)
    expectSilence(stdout + stderr)
  }
})
