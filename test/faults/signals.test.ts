/** Signals at bad moments: inside of a decoder that never returns, and while a server says nothing. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { startHub } from "../fixtures/hub.ts"
import { svg } from "../fixtures/image.ts"
import { childrenOf, hasProc, isAlive, reached, ticks } from "../fixtures/processes.ts"
import { sluice, startSluice, until } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each run is a process of its own, with children.
vi.setConfig({ testTimeout: 120_000 })

const hub = await startHub()

const ENDLESS = `<filter id="f"><feConvolveMatrix order="100" kernelMatrix="${"1 ".repeat(10_000)}"/></filter>${'<rect width="256" height="256" filter="url(#f)"/>'.repeat(5000)}`

it("SIGTERM to all processes ends a run inside of an endless decoder, with what is done, and leaves none of them", async ({
  skip,
}) => {
  if (!hasProc) {
    console.warn("SKIPPED: without /proc, children cannot be told")
    return skip()
  }
  const cwd = await tempFolder()
  await mkdir(join(cwd, "in"))
  for (let i = 0; i < 20; i++) await writeFile(join(cwd, `in/a${i}.txt`), `text ${i}`)
  await writeFile(join(cwd, "in/b.svg"), svg(256, 256, ENDLESS))
  for (let i = 0; i < 20; i++) await writeFile(join(cwd, `in/c${i}.txt`), `text ${i}`)
  await writeFile(
    join(cwd, "p.yaml"),
    "version: 1\nname: p\nsource: { type: files, include: in }\nsink: { type: lance, table: t }\nworkers: { timeout: 1h }\nshutdown_timeout: 1s\n",
  )
  const run = startSluice(["run", "p.yaml", "--json"], { cwd, detached: true })
  const { pid = 0 } = run.child
  let decoder = ""
  await reached(() => {
    decoder = childrenOf(pid).find((child) => ticks(child) > 100) ?? ""
    return decoder !== ""
  }, "a decoder that is at work")
  // As a terminal or a service manager does it.
  process.kill(-pid, "SIGTERM")
  const { code, stdout } = await run.ended
  expect(code).toBe(143)
  expect(JSON.parse(stdout)).toMatchObject({
    ending: "interrupted",
    items: { listed: 41, done: 20, failed: 0, pending: 21 },
  })
  await reached(() => !isAlive(decoder), "the end of the decoder")
  const again = await sluice(["run", "p.yaml", "--json", "--set", "workers.timeout=1s"], { cwd })
  expect(JSON.parse(again.stdout)).toMatchObject({ ending: "complete", items: { done: 20, unchanged: 20, failed: 1 } })
})

it.each(["SIGINT", "SIGTERM"] as const)("%s ends a run that waits for a server that says nothing", async (signal) => {
  hub.push("o/d", { "a.csv": "x\n1\n" })
  hub.seen.length = 0
  hub.faults.splice(0, Infinity, { path: "/revision/", silentFor: 600_000 })
  const cwd = await tempFolder()
  const document = "version: 1\nname: p\nsource: { type: huggingface, repo: o/d }\nsink: { type: lance, table: t }\n"
  await writeFile(join(cwd, "p.yaml"), document)
  const run = startSluice(["run", "p.yaml"], { cwd, env: { HF_ENDPOINT: hub.url } })
  await until(() => hub.seen.length > 0)
  run.child.kill(signal)
  const { code, stderr } = await run.ended
  expect(stderr).toMatch(/interrupted: 0 items/)
  expect(code).toBe(signal === "SIGINT" ? 130 : 143)
})
