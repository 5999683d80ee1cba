/** Signals, a second writer, and readers that go away, while a run goes on. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it, vi } from "vitest"
import type { Summary } from "../../src/model/events.ts"
import { sluice, startSluice, until, untilExists } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

const FILES = 3000
// Each test starts several processes; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let cwd = ""

beforeAll(async () => {
  cwd = await tempFolder()
  await mkdir(join(cwd, "many"))
  for (let i = 0; i < FILES; i++) await writeFile(join(cwd, `many/${i}.txt`), `number ${i} `.repeat(20))
  await writeFile(join(cwd, "large.txt"), "river gate ".repeat(8 << 20))
})

describe("a run", () => {
  it("keeps a second writer out, drains at Ctrl-C, and goes on when it is run again", async () => {
    const args = ["ingest", "many", "--table", "many", "--flush-every", "10", "--commit-every", "10", "--json"]
    const first = startSluice(args, { cwd })
    await untilExists(join(cwd, "data/many.lance/_versions"))

    const second = await sluice(["ingest", "many", "--table", "many"], { cwd })
    expect(second).toMatchObject({ code: 1, stdout: "" })
    expect(second.stderr).toMatch(
      new RegExp(`^error: Table "many" is being written by process ${first.child.pid} on .* sluice unlock many\\n$`),
    )

    first.child.kill("SIGINT")
    const { code, stdout, stderr } = await first.ended
    expect(code).toBe(130)
    expect(stderr).toContain("SIGINT: finishing and committing what is in flight; a second one stops at once\n")
    const cut = JSON.parse(stdout) as Summary
    expect(cut.ending).toBe("interrupted")
    expect(cut.items.done).toBeGreaterThan(0)
    expect(cut.items.done).toBeLessThan(FILES)

    const rest = await sluice(["ingest", "many", "--table", "many", "--json"], { cwd })
    expect(rest.code).toBe(0)
    expect(JSON.parse(rest.stdout)).toMatchObject({
      ending: "complete",
      items: { listed: FILES, done: FILES - cut.items.done, unchanged: cut.items.done },
    })
  })

  it("stops at its last commit at the second signal, in the middle of an item", async () => {
    const run = startSluice(["ingest", "large.txt", "--table", "large", "--json"], { cwd })
    await untilExists(join(cwd, "data/large.lance/_versions"))
    run.child.kill("SIGTERM")
    await until(() => run.stderr().includes("SIGTERM: finishing"))
    run.child.kill("SIGTERM")
    const { code, stdout, stderr } = await run.ended
    expect(code).toBe(143)
    expect(stderr).toContain("SIGTERM: stopping at the last commit\n")
    expect(JSON.parse(stdout)).toMatchObject({ ending: "interrupted", items: { listed: 1, done: 0, pending: 1 } })
  })

  it("does not care whether anybody reads what it says", async () => {
    const run = startSluice(["ingest", "many", "--table", "unread", "--json"], { cwd })
    run.child.stdout?.destroy()
    run.child.stderr?.destroy()
    expect((await run.ended).code).toBe(0)
  })
})
