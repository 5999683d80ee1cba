import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

const plan = (uri: string, rows: number) =>
  testPlan(itemsOf([{ rows, notes: true }]), lance({ uri, table: "t" }), "main", {
    mode: rows === 3 ? "error" : "append",
  })

it("makes a table anew whose first commit was interrupted, and its side tables", async () => {
  const uri = await tempFolder()
  for (const name of ["t", "t__notes", "_sluice_runs"]) {
    await mkdir(join(uri, `${name}.lance`, "data"), { recursive: true })
    await writeFile(join(uri, `${name}.lance`, "data", "half.lance"), "half a file")
  }
  await mkdir(join(uri, "t.lance", "_versions"))
  await expect(inspectTable(uri, "t")).rejects.toThrow("its first commit was interrupted")

  expect((await run(plan(uri, 3))).rows).toBe(3)
  expect(await inspectTable(uri, "t")).toMatchObject({ rows: 3, version: 1 })
  expect(await readdir(join(uri, "t.lance", "data"))).not.toContain("half.lance")
})

it("does not write into a table that must not exist, and leaves its lock free", async () => {
  const uri = await tempFolder()
  await run(plan(uri, 3))
  await expect(run(plan(uri, 3))).rejects.toThrow('Table already exists: "t"')
  expect((await run(plan(uri, 4))).items).toMatchObject({ listed: 1, unchanged: 1 })
})
