/** Workers that block, crash, take memory or leave children: each costs the item that it was at, and nothing else. */
import { execFileSync } from "node:child_process"
import { openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import type { Lane } from "../../src/model/normalizer.ts"
import { planOf, type RunSettings, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { hasProc, isAlive, reached } from "../fixtures/processes.ts"
import { tempFolder } from "../fixtures/temp.ts"
import type { Trouble } from "../fixtures/trouble.ts"

// Far more than it takes: what is waited for for ever ends the test.
vi.setConfig({ testTimeout: 60_000 })

const NONE: Trouble = { kind: "none" }
/** So large that each is a task of its own. */
const ITEM_BYTES = 8 << 20

const runWith = async (lane: Lane, troubles: readonly Trouble[], settings: RunSettings = {}) => {
  const database = new MemoryDatabase()
  const items = troubles.map((payload, index) => ({
    id: `item-${index}`,
    uri: `/nowhere/${index}`,
    version: "1",
    bytes: ITEM_BYTES,
    payload,
  }))
  const feed = {
    source: {
      name: "made-up",
      items: async function* () {
        yield* items
      },
    },
    code: { module: new URL("../fixtures/trouble.ts", import.meta.url).href, name: "normalize", options: {} },
    route: () => ({ lane, recipe: "r" }),
  }
  const plan = planOf(
    { name: "trouble", feed, sink: memory({ table: "t", database }) },
    { ...settings, workers: { threads: 2, timeout: 60_000, ...settings.workers } },
  )
  const summary = await run(plan)
  return {
    items: summary.items,
    texts: rowsOf(database.rows("t"), ["text"]).map(({ text }) => text),
    errors: rowsOf(database.rows("t__items"), ["error"]).map(({ error }) => String(error)),
  }
}

const newPipe = async (): Promise<string> => {
  const pipe = join(await tempFolder(), "pipe")
  execFileSync("mkfifo", [pipe])
  return pipe
}

const others = (count: number, without: number): string[] =>
  Array.from({ length: count }, (_, index) => `item-${index}`).filter((_, index) => index !== without)

describe.skipIf(process.platform === "win32")("inside of a native call", () => {
  it.each<Lane>(["thread", "process"])("a worker holds nobody up: others come through meanwhile (%s)", async (lane) => {
    const pipe = await newPipe()
    // The first can go on only once the fourth has come through.
    const troubles: Trouble[] = [{ kind: "block", pipe }, NONE, NONE, { kind: "release", pipe }, NONE]
    expect(await runWith(lane, troubles)).toMatchObject({ items: { done: 5, failed: 0 }, errors: [] })
  })

  it.each<Lane>(["thread", "process"])(
    "that never returns, a worker costs its item, and the run ends without it (%s)",
    async (lane) => {
      const pipe = await newPipe()
      const troubles: Trouble[] = [NONE, { kind: "block", pipe }, NONE, NONE, NONE, NONE]
      const { items, texts, errors } = await runWith(lane, troubles, { workers: { timeout: 1500 } })
      expect(items).toMatchObject({ done: 5, failed: 1, pending: 0 })
      expect(texts).toEqual(others(6, 1))
      expect(errors).toEqual(["no progress for 1.5 s"])
      // Nothing ends a thread there, so it goes on until it comes out; the process was killed.
      if (lane === "thread") openSync(pipe, "r+")
    },
  )
})

describe("a child process", () => {
  it.each<NodeJS.Signals>(["SIGSEGV", "SIGABRT", "SIGKILL"])("that ends by %s costs its item", async (signal) => {
    const { texts, errors } = await runWith("process", [NONE, { kind: "signal", signal }, NONE, NONE])
    expect(texts).toEqual(others(4, 1))
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^the worker process died \\(${signal}\\)`))])
  })

  it.each(["buffers", "objects"] as const)("that takes too much memory for its %s costs its item", async (of) => {
    const troubles: Trouble[] = [NONE, { kind: "balloon", bytes: 1 << 30, of }, NONE, NONE]
    const { texts, errors } = await runWith("process", troubles, { workers: { memory: 600 << 20 } })
    expect(texts).toEqual(others(4, 1))
    expect(errors).toEqual([
      expect.stringMatching(
        /^the worker process died \(SIGKILL\): needed more than 600\.0 MiB of memory; if .* raise "workers\.memory"$/,
      ),
    ])
  })

  it("does not leave behind what it has started, whatever that minds", async ({ skip }) => {
    if (!hasProc) {
      console.warn("SKIPPED: without /proc, processes cannot be told")
      return skip()
    }
    const file = join(await tempFolder(), "pid")
    const { errors } = await runWith("process", [{ kind: "children", file }, NONE], { workers: { timeout: 1500 } })
    expect(errors).toEqual(["no progress for 1.5 s"])
    const pid = readFileSync(file, "utf8")
    await reached(() => !isAlive(pid), "the end of what it had started")
  })
})

describe("a worker thread", () => {
  it("that takes too much memory outside of its heap costs its item", async () => {
    const troubles: Trouble[] = [NONE, { kind: "balloon", bytes: 700 << 20, of: "buffers" }, NONE, NONE]
    const { texts, errors } = await runWith("thread", troubles, { maxItemBytes: 1 << 20 })
    expect(texts).toEqual(others(4, 1))
    expect(errors).toEqual([
      expect.stringMatching(
        /^the worker needed more than 516\.0 MiB of memory outside of its heap; if .* raise "max_item_bytes"$/,
      ),
    ])
  })
})
