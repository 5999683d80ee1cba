import { expect, it } from "vitest"
import { checkNode } from "../../src/cli/package.ts"

it("says which Node it needs, where this one is too old", () => {
  for (const version of ["22.19.0", "22.20.1", "24.0.0"]) expect(() => checkNode(version)).not.toThrow()
  for (const version of ["20.20.2", "22.18.9"]) {
    expect(() => checkNode(version)).toThrow(`expected Node >=22.19, found ${version}`)
  }
})
