/** What `sluice create` writes works as it is: its own checks pass, and documents can name it. */
import { execFile } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ROOT = fileURLToPath(new URL("../../", import.meta.url))
/** The package is found by its name as where it is installed, and is what the source says. */
const CONDITION = "--conditions=sluice-source"

let cwd = ""
const run = (...args: readonly string[]) => sluice(args, { cwd, env: { NODE_OPTIONS: CONDITION } })

const COMPONENTS = { source: "feed_pages", format: "ledger", normalizer: "essay", sink: "vault" }

beforeAll(async () => {
  cwd = await tempFolder()
  mkdirSync(join(cwd, "node_modules"))
  symlinkSync(ROOT, join(cwd, "node_modules/sluice"), "dir")
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ private: true, type: "module" }))
  for (const [kind, name] of Object.entries(COMPONENTS))
    expect(await run("create", kind, name)).toMatchObject({ code: 0 })
})

describe("a component", () => {
  it("passes its own checks", { timeout: 120_000 }, async () => {
    const tests = readdirSync(cwd).filter((name) => name.endsWith(".test.ts"))
    expect(tests).toEqual(["essay.test.ts", "feed-pages.test.ts", "ledger.test.ts", "vault.test.ts"])
    // The runner of these tests tells its children that they are its own.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, [CONDITION, "--test", ...tests], { cwd, env })
    expect(stdout).toMatch(/^\S+ fail 0$/m)
    expect(Number(/^\S+ pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThan(20)
  })

  it("is what documents can name, and what workers load", { timeout: 60_000 }, async () => {
    const pages = [[{ id: "a", text: "first" }], [{ id: "b", text: "second" }]]
    const server = createServer((request, response) => {
      response.end(JSON.stringify(pages[Number(/\d+/.exec(request.url ?? "")?.[0]) - 1] ?? []))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    try {
      mkdirSync(join(cwd, "texts"))
      writeFileSync(join(cwd, "texts/one.essay"), "A paragraph.\n\nAnd another.\n\n-")
      writeFileSync(join(cwd, "amounts.csv"), "rent,900\nbread,3.5\n")
      const documents = [
        `source: { type: feed_pages, url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/" }`,
        "source: { type: files, include: texts }\nnormalize: { essay: { min_length: 5 } }",
        "format: { type: ledger, path: amounts.csv }",
      ].map(
        (input, index) =>
          `version: 1\nname: t${index}\nplugins: [./feed-pages.ts, ./essay.ts, ./ledger.ts, ./vault.ts]\n${input}\nsink: { type: vault, table: t${index} }\n`,
      )
      writeFileSync(join(cwd, "all.yaml"), documents.join("---\n"))
      const { code, stdout, stderr } = await run("run", "all.yaml", "--json")
      expect(stderr).not.toContain("failed:")
      expect(code).toBe(0)
      const summaries = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
      expect(summaries.map(({ rowsByMedium }) => rowsByMedium)).toEqual([
        { feed_pages: 2 },
        { essay: 2 },
        { Ledger: 2 },
      ])
      expect(readdirSync(join(cwd, "tables"))).toEqual(expect.arrayContaining(["t0.table", "t1.table", "t2.table"]))
      expect((await run("run", "all.yaml")).stderr).toContain("in the table already")
    } finally {
      server.close()
    }
  })

  it("is listed with its options, like Sluice's own", async () => {
    const { stdout } = await run("list", "--plugin", "./essay.ts", "--format", "json")
    expect(JSON.parse(stdout)).toContainEqual({
      kind: "normalizer",
      type: "essay",
      description: "Files of paragraphs: a row a paragraph.",
    })
    const { stdout: page } = await run("list", "sink", "vault", "--plugin", "./vault.ts")
    expect(page).toContain('| `folder` | text | `"./tables"` | Folder of the tables; made when it is not there. |')
    expect(await run("list", "sink", "lanse")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected a sink, found "lanse"; did you mean "lance"?'),
    })
  })

  it("does not take a name or a file that is there", async () => {
    expect(await run("create", "source", "files")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('source: the name "files" means something else already'),
    })
    expect(await run("create", "source", "Feed!")).toMatchObject({ code: 2 })
    const before = readFileSync(join(cwd, "vault.ts"), "utf8")
    expect(await run("create", "format", "vault")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("vault.ts is there already"),
    })
    expect(readFileSync(join(cwd, "vault.ts"), "utf8")).toBe(before)
  })
})

it("writes a pipeline that says what has to be filled in", async () => {
  expect(await run("create", "pipeline", "notes")).toMatchObject({ code: 0, stdout: "notes.yaml\n" })
  const path = join(cwd, "notes.yaml")
  const text = readFileSync(path, "utf8")
  expect(text).toContain('  # symlinks: "skip"  # What to do with symbolic links inside of folders.')
  expect(await run("validate", "notes.yaml")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("notes.yaml:5:12  source.include: expected text"),
  })
  writeFileSync(path, text.replace('include: ""', "include: ."))
  expect(await run("validate", "notes.yaml")).toMatchObject({ code: 0 })
  expect(await run("create", "pipeline", "other", "--layout", "cocoo")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--layout: unknown type "cocoo"; did you mean "coco"?'),
  })
})
