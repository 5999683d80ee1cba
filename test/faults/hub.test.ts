/** What a dataset of the Hub, or a server in its place, can do to whoever reads it. */
import { describe, expect, it } from "vitest"
import { mayLead } from "../../src/hub/address.ts"
import { readCard } from "../../src/hub/card.ts"
import { openHub } from "../../src/hub/client.ts"
import { matchGlob } from "../../src/hub/glob.ts"
import { pinRevision } from "../../src/hub/tree.ts"
import { ConfigError, IngestError } from "../../src/model/errors.ts"
import { startHub } from "../fixtures/hub.ts"

const hub = await startHub()

describe("what a dataset says of itself", () => {
  it("cannot hold up the run with patterns", () => {
    const name = "a".repeat(250)
    // A regular expression with so many stars tries 250^30 ways.
    expect(matchGlob([name, `${name}b`], `${"*a".repeat(30)}*b`)).toEqual([`${name}b`])
    const path = Array.from({ length: 120 }, () => "a").join("/")
    expect(matchGlob([path, `${path}/b`], `${"**/a/".repeat(30)}**/b`)).toEqual([`${path}/b`])
  })

  it("cannot hold it up with the keys of its README either, nor change what is not its own", () => {
    // Compared with one another, they take ten thousand times as long as one by one.
    const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}: 1`).join("\n")
    const config = "configs:\n- config_name: a\n  __proto__: { polluted: true }\n  constructor: { prototype: 1 }"
    const card = readCard(`---\n${keys}\n__proto__: { polluted: true }\n${config}\n---\n`, undefined)
    expect(card.configs.map(({ name }) => name)).toEqual(["a"])
    expect("polluted" in {}).toBe(false)
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(", ")}]\n`
    const bomb = `a: &a [x]\n${level("b", "a")}${level("c", "b")}${level("d", "c")}${level("e", "d")}${level("f", "e")}`
    expect(() => readCard(`---\n${bomb}\n---`, undefined)).toThrow(/README.md of the dataset is no valid YAML/)
    expect(() => readCard(`---\nx: ${"[".repeat(5000)}\n---`, undefined)).toThrow(ConfigError)
  })
})

describe("a redirect", () => {
  const pin = async (location: string): Promise<unknown> => {
    hub.push("o/d", { "a.txt": "1" })
    hub.faults.splice(0, Infinity, { path: "/revision/", status: 302, headers: { location } })
    const client = openHub({ hubUrl: hub.url, retry: { tries: 1, idle: 2000 } })
    return pinRevision(client, "o/d", "main", new AbortController().signal).catch((error: unknown) => error)
  }

  it.each([
    ["http://169.254.169.254/latest/meta-data/", /redirects to http:\/\/169\.254\.169\.254, further inside/],
    ["http://0xa9fea9fe/", /redirects to http:\/\/169\.254\.169\.254, further inside/],
    ["http://2852039166/", /further inside of a network/],
    ["http://0251.0376.169.254/", /further inside of a network/],
    ["http://[::ffff:169.254.169.254]/", /further inside of a network/],
    ["http://[fe80::1]/", /further inside of a network/],
    ["http://user:CANARY@127.0.0.1:9/?sig=CANARY", /redirects to http:\/\/127\.0\.0\.1:9 with a name or a password/],
    ["http://[", /redirects to what is no address/],
    ["gopher://127.0.0.1/", /redirects to gopher:\/\/127\.0\.0\.1, which is not followed/],
  ])("to %s is not followed", async (location, message) => {
    const error = await pin(location)
    expect(error).toBeInstanceOf(IngestError)
    expect(String(error)).toMatch(message)
    expect(String(error)).not.toContain("CANARY")
  })

  it("that an answer only names, as for uploads, is not followed either", async () => {
    const fetch = openHub({ hubUrl: hub.url }).fetch({ repo: "o/d" }, new AbortController().signal)
    await expect(fetch("http://169.254.169.254/lfs", { method: "PUT" })).rejects.toThrow(/further inside of a network/)
  })

  it.each([
    ["https://8.8.8.8", "https://1.1.1.1", true],
    ["https://8.8.8.8", "https://10.1.2.3", false],
    ["https://8.8.8.8", "https://127.1", false],
    ["https://8.8.8.8", "https://0x7f.1", false],
    ["https://8.8.8.8", "https://0", false],
    ["https://8.8.8.8", "https://localhost", false],
    ["https://8.8.8.8", "https://[::1]", false],
    ["https://8.8.8.8", "https://[fd00::1]", false],
    ["https://8.8.8.8", "https://[64:ff9b::10.0.0.1]", false],
    ["https://8.8.8.8", "https://[64:ff9b::8.8.4.4]", true],
    ["https://8.8.8.8", "https://100.100.100.200", false],
    ["https://10.1.2.3", "https://192.168.0.1", true],
    ["https://10.1.2.3", "https://127.0.0.1", false],
    ["https://127.0.0.1", "https://127.0.0.2", true],
    ["https://169.254.1.1", "https://169.254.169.254", false],
  ])("from %s to %s: %s", async (from, to, allowed) => {
    expect(await mayLead(new URL(from), new URL(to))).toBe(allowed)
  })
})
