import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

it("tries sources and sinks of all documents in a folder, and writes nothing", { timeout: 60_000 }, async () => {
  const cwd = await tempFolder()
  await mkdir(join(cwd, "pipes"))
  await mkdir(join(cwd, "docs"))
  await writeFile(join(cwd, "docs/a.txt"), "text")
  const document = (name: string, include: string, sink = "") =>
    writeFile(
      join(cwd, `pipes/${name}.yaml`),
      `version: 1\nname: ${name}\nsource: { type: files, include: ${include} }\nsink: { type: lance, table: ${name}${sink} }\n`,
    )
  await document("good", "docs")
  await document("gone", "nowhere")
  expect(await sluice(["check", "pipes"], { cwd })).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      /^pipes\/gone.yaml: gone: source failed: .*nowhere.*\npipes\/gone.yaml: gone: sink ok: table gone in .\/data will be made\npipes\/good.yaml: good: source ok: its first item is a.txt\npipes\/good.yaml: good: sink ok: .*\n$/,
    ),
  })
  expect(await sluice(["run", "pipes/good.yaml"], { cwd })).toMatchObject({ code: 0 })
  await document("gone", "docs")
  await document("good", "docs", ", mode: error")
  const { code, stdout } = await sluice(["check", "pipes"], { cwd })
  expect(code).toBe(1)
  expect(stdout).toContain('good: sink failed: table good exists, and the mode is "error"')
  // All that is wrong in any of the documents is told at once.
  await document("a", "[")
  await document("b", "docs, typo: 1")
  const wrong = await sluice(["validate", "pipes"], { cwd })
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toMatch(/pipes\/a\.yaml:\d+:\d+[\s\S]*pipes\/b\.yaml:\d+:\d+/)
  expect(await sluice(["validate", "docs"], { cwd })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("docs: expected pipeline documents (.yaml, .yml) in the folder, found none"),
  })
})
