/** The example pipeline of tables, as it is, through the command line. */
import { mkdir, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { expect, it, vi } from "vitest"
import { writeParquet } from "../fixtures/duckdb.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each test starts several processes; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000 })

it("pipelines/tabular.yaml makes a table, and finds nothing new the second time", async () => {
  const cwd = await tempFolder()
  await mkdir(join(cwd, "tables"))
  await writeParquet(join(cwd, "tables/a.parquet"), 5000, "i AS id, 'name ' || i AS name, [i, 0.5]::FLOAT[] AS vector")
  await writeFile(join(cwd, "tables/b.csv"), "id,zip\n5000,00501\n")
  const run = async (): Promise<unknown> => {
    const { code, stdout, stderr } = await sluice(["run", resolve("pipelines/tabular.yaml"), "--json"], { cwd })
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  expect(await run()).toMatchObject({ table: "tables", rows: 5001, rowsByMedium: { tabular: 5001 }, warnings: [] })
  expect(await run()).toMatchObject({ rows: 0, items: { listed: 2, unchanged: 2 } })
})
