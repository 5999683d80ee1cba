/** What the page promises is proved by tests that there are. */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"

const page = readFileSync("docs/guide/guarantees.md", "utf8")
const lines = [...page.matchAll(/\| `(test\/\S+)`: (.+) \|$/gm)].map(([, file = "", name = ""]) => ({ file, name }))

it("names a test for every line of its tables", () => {
  const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.includes("proved by"))
  expect(lines).toHaveLength(rows.length)
})

it.each(lines)("$file has: $name", ({ file, name }) => {
  expect(readFileSync(file, "utf8")).toContain(name)
})
