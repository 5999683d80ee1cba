/** Secrets: where they come from, where they may stand, that nobody is told, and what --strict refuses. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what secrets in documents look like
import { mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { checkSource } from "../../src/cli/check.ts"
import { checkCommand } from "../../src/cli/commands/check.ts"
import { runCommand } from "../../src/cli/commands/run.ts"
import { serveCommand } from "../../src/cli/commands/serve.ts"
import { validateCommand } from "../../src/cli/commands/validate.ts"
import { forecast } from "../../src/engine/forecast.ts"
import type { RunEvent } from "../../src/model/events.ts"
import { run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { loadPipeline, parsePipeline } from "../fixtures/pipeline.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

const CANARY = 'CANARY/"1+1"'

const PLUGIN = `
import { Source } from ${JSON.stringify(new URL("../../src/model/source.ts", import.meta.url).href)}

const optional = { optional: true, description: "x" }

export const vault = Source.define({
  type: "vault",
  description: "A source that tells everything that it knows.",
  fields: {
    token: { type: "text", secret: true, variable: "VAULT_TOKEN", ...optional },
    url: { type: "text", ...optional },
    label: { type: "text", ...optional },
    breaks: { type: "boolean", default: false, description: "x" },
  },
  make: ({ token, url, breaks }) => ({
    name: "vault",
    items: async function* ({ warn }) {
      warn("the token is " + token)
      yield { id: "a.txt", uri: "/nowhere/" + token + "/a.txt", version: "1", bytes: 1 }
      yield { id: "b.txt", uri: "b.txt", version: "1", bytes: 1, error: url + " refuses " + encodeURIComponent(token) }
      if (breaks) throw new Error("lost " + url, { cause: new Error(token) })
    },
  }),
})
`

let dir = ""

beforeAll(async () => {
  dir = await tempFolder()
  await writeFile(join(dir, "vault.ts"), PLUGIN)
  await mkdir(join(dir, "secrets/..data"), { recursive: true })
  await writeFile(join(dir, "secrets/..data/vault-token"), `${CANARY}\n`)
  await symlink("..data/vault-token", join(dir, "secrets/vault-token"))
  await writeFile(join(dir, "secrets/large"), "x".repeat(70_000))
  await writeFile(join(dir, "secrets/short"), "abc\n")
})

const document = (source: string, more = ""): string =>
  `version: 1\nname: p\nplugins: [./vault.ts]\nsource: { type: vault, ${source} }\nsink: { type: lance, uri: ./data, table: t }\n${more}`

const write = async (text: string): Promise<string> => {
  const file = join(dir, "p.yaml")
  await writeFile(file, text)
  return file
}

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const texts: string[] = []
  for (let one = error; one instanceof Error; one = one.cause) texts.push(one.message, one.stack ?? "")
  return texts.join("\n")
}

describe("a secret", () => {
  it("comes from the environment, or from a file", async () => {
    const tokenOf = async (token: string, env: Record<string, string>) => {
      const { document: read } = await loadPipeline(await write(document(`token: "${token}"`)), env)
      return read.source?.token
    }
    const SLUICE_SECRETS_DIR = join(dir, "secrets")
    expect(await tokenOf("${secret:T}", { T: "from-env", SLUICE_SECRETS_DIR })).toBe("from-env")
    expect(await tokenOf("${secret:vault-token}", { SLUICE_SECRETS_DIR })).toBe(CANARY)
    expect(await tokenOf("a-${secret:T}-b", { T: "from-env" })).toBe("a-from-env-b")
    expect(await tokenOf("$${secret:T}", {})).toBe("${secret:T}")
  })

  it.each([
    ["T", "there is no secret T; set the environment variable T, or put it into a file T in SECRETS"],
    ["short", "the secret short is too short to be kept out of messages: expected at least 4 characters"],
    ["large", "the secret large cannot be read from SECRETS: expected at most 64 KiB, found 70000 bytes"],
    ["..data", "expected the name of a secret, as in ${secret:HF_TOKEN}, found ${secret:..data}"],
    ["../p.yaml", "expected the name of a secret, as in ${secret:HF_TOKEN}, found ${secret:../p.yaml}"],
    ["T:-x", "expected the name of a secret, as in ${secret:HF_TOKEN}, found ${secret:T:-x}"],
  ])("that cannot be had is a problem: %s", async (name, message) => {
    const file = await write(document(`token: "\${secret:${name}}"`))
    const error: unknown = await loadPipeline(file, { SLUICE_SECRETS_DIR: join(dir, "secrets") }).catch(
      (e: unknown) => e,
    )
    const said = (error as Error).message.replaceAll(join(dir, "secrets"), "SECRETS")
    expect(said).toBe(`${file}:4:31  source.token: ${message}`)
  })

  it("stands in fields for secrets and in addresses, and nowhere else", async () => {
    const env = { T: CANARY }
    await loadPipeline(await write(document('token: "${secret:T}", url: "https://user:${secret:T}@host/"')), env)
    const wrong = document(
      'label: "${secret:T}", url: "host ${secret:T}"',
      'index: ["${secret:T}"]\ntests: [{ name: a, rows: 0, with: { source: { token: "${secret:T}", label: "${secret:T}" } } }]\n',
    )
    const file = await write(wrong)
    const said = await loadPipeline(file, env).catch((e: unknown) => (e as Error).message)
    const rest =
      "a secret cannot stand where its value is shown or stored; a secret can be source.token. For what may be shown there is ${T}"
    expect(String(said).split("\n")).toEqual([
      `${file}:4:31  source.label: ${rest}`,
      `${file}:4:51  source.url: ${rest}`,
      `${file}:6:9  index[0]: ${rest}`,
      `${file}:7:76  tests[0].with.source.label: ${rest}`,
    ])
    const bare = `version: 1\nname: "\${secret:T}"\nsource: { type: files, include: a }\nsink: { type: lance, table: t }\n`
    expect(await messageOf(parsePipeline(bare, "p.yaml", env))).toContain("nothing in this document takes a secret")
  })

  it.each([
    ["named in the document", 'token: "${secret:T}", url: "https://u:${secret:T}@host/x"', { T: CANARY }],
    ["in plain text", `token: '${CANARY}', url: "https://host"`, {}],
    ["from the variable of its component", 'url: "https://host"', { VAULT_TOKEN: CANARY }],
  ])("is not told by a run that fails: %s", async (_, source, env) => {
    const { plan } = await loadPipeline(await write(document(source)), env)
    const database = new MemoryDatabase()
    const events: RunEvent[] = []
    const summary = await run(
      { ...plan, sink: memory({ table: "t", database }) },
      { onEvent: (event) => events.push(event) },
    )
    expect(summary).toMatchObject({
      items: { listed: 2, failed: 2 },
      warnings: [expect.stringContaining("the token is ")],
    })
    const other = await write(document(`${source}, breaks: true`))
    const breaking = (await loadPipeline(other, env)).plan
    const told = [
      JSON.stringify([summary, events, await forecast(plan)]),
      new TextDecoder().decode(database.rows("t__items").columns.get("error")?.values as Uint8Array),
      await messageOf(run({ ...breaking, sink: memory({ table: "t" }) })),
      await messageOf(forecast(breaking)),
      await messageOf(checkSource(breaking)),
    ]
    expect(told[1]).toContain("refuses")
    expect(told[2]).toContain("lost ")
    for (const text of told) for (const one of ["CANARY", "1+1", "1%2B1"]) expect(text).not.toContain(one)
  })

  it("leaves a source all that it tells of itself", async () => {
    const of = async (token: string) => {
      const text = `version: 1\nname: p\nsource: { type: huggingface, repo: a/b, token: "${token}" }\nsink: { type: memory, table: t }\n`
      const { plan } = await loadPipeline(await write(text), { T: HF })
      return plan.feed.source
    }
    const hidden = await of("${secret:T}")
    expect(Object.keys(hidden).sort()).toEqual(Object.keys(await of(HF)).sort())
    expect(hidden.retries?.()).toBe(0)
  })

  it("is not told by the command line", { timeout: 60_000 }, async () => {
    await write(document('token: "${secret:T}", breaks: "true"'))
    const { code, stdout, stderr } = await sluice(["run", "p.yaml", "--json"], { cwd: dir, env: { T: CANARY } })
    expect(code).toBe(1)
    expect(stderr).toContain("the token is ${secret:T}")
    expect(stdout + stderr).not.toContain("CANARY")
  })
})

const HF = `hf_${"aB3".repeat(10)}`
const AWS = `AKIA${"ABCD".repeat(4)}`

const ADVICE =
  "name it instead: set it in the environment, or put it into a file of SLUICE_SECRETS_DIR, and write ${secret:NAME}"

describe("--strict", () => {
  const strict = async (text: string, env = {}, overrides: readonly string[] = []): Promise<string[]> => {
    const file = await write(text)
    const error: unknown = await loadPipeline(file, env, overrides, { strict: true }).catch((e: unknown) => e)
    return error instanceof Error ? error.message.replaceAll(`${file}:`, "").split("\n") : []
  }

  it("refuses secrets in plain text, wherever they stand", async () => {
    const text = document(
      `token: "${HF}", url: "https://user:pass@host/", label: "x ${AWS}"`,
      `# once it was ${HF}\ntests:\n  - { name: a, rows: 0, with: { source: { token: abc, url: "https://host/?a=1&api_key=abc" } } }\n  - name: b\n    rows: 0\n    files: {}\n    with: { source: { url: "-----BEGIN RSA PRIVATE KEY-----", label: "\${L:-ghp_${"a1".repeat(20)}}" } }\n`,
    ).replace("files: {}", "mocks: {}")
    const said = await strict(text)
    expect(said).toEqual([
      `4:31  source.token: found a secret in plain text; ${ADVICE}`,
      `4:73  source.url: found a password in an address in plain text; ${ADVICE}`,
      `4:107  source.label: found a key of AWS in plain text; ${ADVICE}`,
      "6:1  found a token of Hugging Face in a comment; take it out, and no longer use it",
      `8:50  tests[0].with.source.token: found a secret in plain text; ${ADVICE}`,
      `8:60  tests[0].with.source.url: found a secret in an address in plain text; ${ADVICE}`,
      `12:28  tests[1].with.source.url: found a private key in plain text; ${ADVICE}`,
      `12:70  tests[1].with.source.label: found a token of GitHub in plain text; ${ADVICE}`,
    ])
    for (const line of said) for (const one of [HF, AWS, "pass@", "abc"]) expect(line).not.toContain(one)
    await loadPipeline(await write(text), {})
  })

  it("takes secrets that are named", async () => {
    const env = { T: CANARY, V: "value", U: "https://host" }
    for (const source of [
      'token: "${secret:T}", url: "https://u:${secret:T}@host/?token=${secret:T}"',
      'token: "${V}", url: "${U}", label: a#b',
      "url: https://host:443/a@b?page=2",
    ]) {
      expect(await strict(document(source), env)).toEqual([])
    }
    expect(await strict(document('token: "${V:-abc}"'), env)).toEqual([
      `4:31  source.token: found a secret in plain text; ${ADVICE}`,
    ])
    expect(await strict(document('token: "${secret:T}"'), env, ["source.token=abc"])).toEqual([
      `--set source.token  source.token: found a secret in plain text; ${ADVICE}`,
    ])
  })

  it("is an option of commands", async () => {
    const file = await write(document(`token: ${HF}`))
    const serve = { port: 0, host: "127.0.0.1", http: false, concurrency: 1, logFormat: "text" } as const
    for (const command of [
      () => validateCommand([file], { strict: true }, {}),
      () => checkCommand([file], { strict: true }, {}),
      () => runCommand([file], { strict: true, logFormat: "text" }, {}),
      () => serveCommand([file], { ...serve, strict: true }, {}),
    ]) {
      await expect(command()).rejects.toThrow(`${file}:4:31  source.token: found a secret in plain text; ${ADVICE}`)
    }
  })
})
