/** The reference says what the code does. */
import { readdirSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { referencePages } from "../scripts/reference.ts"

const FOLDER = new URL("../docs/reference/", import.meta.url)

it("is what is made of the code: if not, npm run reference", () => {
  const pages = referencePages()
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(pages).sort())
  for (const [name, text] of Object.entries(pages)) expect(readFileSync(new URL(name, FOLDER), "utf8"), name).toBe(text)
})
