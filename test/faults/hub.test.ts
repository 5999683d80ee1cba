/** What a dataset of the Hub, or a server in its place, can do to whoever reads it. */
import { describe, expect, it } from "vitest"
import { matchGlob } from "../../src/hub/glob.ts"

describe("what a dataset says of itself", () => {
  it("cannot hold up the run with patterns", () => {
    const name = "a".repeat(250)
    // A regular expression with so many stars tries 250^30 ways.
    expect(matchGlob([name, `${name}b`], `${"*a".repeat(30)}*b`)).toEqual([`${name}b`])
    const path = Array.from({ length: 120 }, () => "a").join("/")
    expect(matchGlob([path, `${path}/b`], `${"**/a/".repeat(30)}**/b`)).toEqual([`${path}/b`])
  })
})
