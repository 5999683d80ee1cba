import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { sluice, startSluice, untilExists } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

it("leaves nothing temporary: neither a command that ends, nor, once there was another one, one that is killed", {
  timeout: 60_000,
}, async () => {
  const cwd = await tempFolder()
  const TMPDIR = join(cwd, "tmp")
  await mkdir(TMPDIR)
  await mkdir(join(cwd, "texts"))
  for (let i = 0; i < 500; i++) await writeFile(join(cwd, `texts/${i}.txt`), `text ${i}`)
  const killed = startSluice(["ingest", "texts", "--table", "t", "--commit-every", "1"], { cwd, env: { TMPDIR } })
  await untilExists(join(cwd, "data/t.lance/_versions"))
  killed.child.kill("SIGKILL")
  await killed.ended
  expect(await readdir(TMPDIR)).toHaveLength(1)
  expect(await sluice(["ingest", "texts", "--table", "t"], { cwd, env: { TMPDIR } })).toMatchObject({ code: 0 })
  expect(await readdir(TMPDIR)).toEqual([])
})
