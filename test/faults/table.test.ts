/** The table of faults names tests that there are, and none of this folder is missing in it. */
import { readdirSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"

const page = readFileSync("test/faults/README.md", "utf8")
const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| fault |"))
const named = rows.map((row) => {
  const [, fault = "", file = "", name = ""] = /^\| (.+?) \| .* \| `(test\/\S+)`: (.+) \|$/.exec(row) ?? []
  return { fault, file, name, row }
})

it("has a test in each row", () => {
  expect(named.filter(({ name }) => name === "").map(({ row }) => row)).toEqual([])
  expect(rows.length).toBeGreaterThan(80)
})

it.each(named)("$file: $name", ({ file, name }) => {
  const source = readFileSync(file, "utf8")
  // As the name of a test, or a part of one: not in a comment.
  expect(
    source.split("\n").some((line) => /["`]/.test(line) && line.includes(name)),
    `${file}: ${name}`,
  ).toBe(true)
})

it("has every file of this folder", () => {
  const files = readdirSync("test/faults").filter((file) => file.endsWith(".test.ts") && file !== "table.test.ts")
  expect(files.filter((file) => !named.some((row) => row.file === `test/faults/${file}`))).toEqual([])
})
