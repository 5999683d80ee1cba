import { existsSync } from "node:fs"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { files, filesPlan, lance, preview } from "../src/index.ts"
import { sluice } from "./fixtures/sluice.ts"
import { tempFolder } from "./fixtures/temp.ts"

it("shows the first rows and their types, and writes nothing", async () => {
  const cwd = await tempFolder()
  await mkdir(join(cwd, "docs"))
  await writeFile(join(cwd, "docs/a.png"), "no picture")
  for (const name of ["b", "c", "d"]) await writeFile(join(cwd, `docs/${name}.txt`), `text ${name} `.repeat(300))
  const sink = lance({ uri: join(cwd, "data"), table: "t" })
  const plan = filesPlan({ name: "docs", source: files({ include: join(cwd, "docs") }), sink })
  const { rows, schema, failed } = await preview(plan, { limit: 4 })
  expect(rows.map(({ text, chunk_index }) => [/[bcd] /.exec(String(text))?.[0], chunk_index])).toEqual([
    ["b ", 0],
    ["b ", 1],
    ["b ", 2],
    ["c ", 0],
  ])
  expect(schema.get("text")).toEqual({ name: "TEXT" })
  expect(failed).toEqual([{ item: "a.png", message: expect.stringContaining("Expected a picture") }])
  expect((await preview(plan, { limit: 100 })).rows).toHaveLength(9)
  await expect(preview(plan, { limit: 0 })).rejects.toThrow("at least 1, found 0")

  await writeFile(
    join(cwd, "p.yaml"),
    "version: 1\nname: docs\nsource: { type: files, include: docs }\nsink: { type: lance, table: t }\n",
  )
  const shown = await sluice(["preview", "p.yaml", "--limit", "2"], { cwd })
  expect(shown).toMatchObject({ code: 0, stderr: expect.stringContaining("failed: a.png: Expected a picture") })
  expect(shown.stdout).toMatch(/^docs: the first 2 rows; nothing is written\ncolumn +type\n/)
  expect(shown.stdout).toMatch(/\ntext +TEXT\n/)
  expect(existsSync(join(cwd, "data"))).toBe(false)
})
