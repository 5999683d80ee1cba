/** What a dataset of the Hub, or a server in its place, can do to whoever reads it. */
import { describe, expect, it } from "vitest"
import { readCard } from "../../src/hub/card.ts"
import { matchGlob } from "../../src/hub/glob.ts"
import { ConfigError } from "../../src/model/errors.ts"

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
