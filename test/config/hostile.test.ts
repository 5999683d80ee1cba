/** Documents that are made to do harm: they cost little time and are refused in words. */
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { ConfigError } from "../../src/model/errors.ts"
import { loadPipeline, parsePipeline } from "../fixtures/pipeline.ts"
import { tempFolder } from "../fixtures/temp.ts"

const OK = "version: 1\nname: a\nsource: { type: files, include: docs }\nsink: { type: lance, table: t }\n"

const messageFor = async (text: string): Promise<string> => {
  try {
    await parsePipeline(text, "p.yaml", {})
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error("the document was accepted")
}

/** Of processor time, on a slow machine; without care, some of these take minutes. */
const MAX_SECONDS = 15

const level = (name: string, of: string): string => `${name}: &${name} [${Array(9).fill(`*${of}`).join(", ")}]\n`

const HOSTILE: readonly (readonly [string, string, RegExp])[] = [
  [
    "aliases of aliases",
    `a: &a [x]\n${level("b", "a")}${level("c", "b")}${level("d", "c")}${level("e", "d")}${level("f", "e")}`,
    /too many aliases/,
  ],
  ["an alias inside of itself", `${OK}index: &a [text, *a]\n`, /index\[1\]: alias \*a is inside of what it stands for/],
  ["an alias of nothing", `${OK}index: *nothing\n`, /Unresolved alias|no anchor &nothing/],
  ["deep lists", `${OK}index: ${"[".repeat(2000)}${"]".repeat(2000)}\n`, /nested too deeply/],
  ["lists without end", "[".repeat(1 << 20), /nested too deeply/],
  ["keys of keys", "? ".repeat(1 << 18), /nested too deeply/],
  [
    "less deep lists",
    `${OK}index: ${"[".repeat(40)}${"]".repeat(40)}\n`,
    /nested too deeply: expected at most 32 levels/,
  ],
  ["many keys", Array.from({ length: 60_000 }, (_, i) => `k${i}: 1`).join("\n"), /too many values/],
  ["many of the same key", "k: 1\n".repeat(200_000), /and \d+ more problems/],
  ["more than a mebibyte", `${OK}# ${"x".repeat(2 << 20)}`, /expected a pipeline document of at most 1 MiB/],
  ["the prototype", `${OK}__proto__: { x: 1 }\n`, /p\.yaml:5:1 {2}__proto__: this key is not allowed/],
  ["the prototype of columns", `${OK}schema: { __proto__: TEXT }\n`, /schema\.__proto__: this key is not allowed/],
  ["very many documents", "a: 1\n---\n".repeat(100_000), /expected at most 100 documents, found 100000/],
  ["another version of YAML", `%YAML 1.1\n---\n${OK}errors: { <<: { max: 1 } }\n`, /merge keys/],
]

describe("a document that is made to do harm", () => {
  it.each(HOSTILE)("is refused: %s", { timeout: 120_000 }, async (_, text, message) => {
    const before = process.cpuUsage()
    expect(await messageFor(text)).toMatch(message)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1e6).toBeLessThan(MAX_SECONDS)
    expect(Object.hasOwn(Object.prototype, "x")).toBe(false)
  })
})

describe("a file", () => {
  let dir = ""
  beforeAll(async () => {
    dir = await tempFolder()
  })

  const failure = async (file: string): Promise<string> => {
    const error: unknown = await loadPipeline(file, {}).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }

  it("is read with its byte order mark", async () => {
    const file = join(dir, "bom.yaml")
    await writeFile(file, `\ufeff${OK}`)
    expect((await loadPipeline(file, {})).document.name).toBe("a")
  })

  it("that is no document is refused before it is read whole", async () => {
    const large = join(dir, "large.yaml")
    await writeFile(large, "x".repeat(2 << 20))
    expect(await failure(large)).toBe(`${large}: expected a pipeline document of at most 1 MiB, found more`)
    const latin = join(dir, "latin.yaml")
    await writeFile(latin, Buffer.from([0x61, 0xe9, 0x62]))
    expect(await failure(latin)).toBe(`${latin}: expected text in UTF-8`)
    expect(await failure(dir)).toBe(`${dir}: expected a pipeline document in YAML, found a folder`)
    expect(await failure(join(dir, "none.yaml"))).toMatch(/there is no such file/)
  })

  it.skipIf(process.platform === "win32")("without an end is refused", async () => {
    expect(await failure("/dev/zero")).toMatch(/at most 1 MiB/)
  })
})
