import { expect, it } from "vitest"
import type { Task } from "../../src/engine/protocol.ts"
import { threadLane } from "../../src/engine/threads.ts"
import { itemsOf } from "../fixtures/plans.ts"

/** More than a worker may have unread: it waits until somebody reads. */
const LARGE = { rows: 50, size: 100_000 }

const task = (): Task => ({
  code: { module: new URL("../fixtures/normalizer.ts", import.meta.url).href, name: "normalize", options: {} },
  lane: "thread",
  items: itemsOf([LARGE]).map((item) => ({ item, version: "1", skip: 0 })),
  tempDir: "",
  maxBytes: 1,
})

it("starts tasks in their order: the reader waits for the first, so no later one may take the threads before it", async () => {
  const lane = threadLane({ threads: 2, timeout: 60_000 })
  const tasks = Array.from({ length: 12 }, () => lane.start(task()))
  for (const { messages } of tasks) {
    let rows = 0
    for await (const message of messages) if (message.kind === "rows") rows += message.batch.rows
    expect(rows).toBe(LARGE.rows)
  }
  await lane.close()
})

const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length

it("keeps nothing open once it is closed, whatever was going on: a process that is done has to end", async () => {
  const before = ports()
  const lane = threadLane({ threads: 2, timeout: 60_000 })
  const [first] = Array.from({ length: 6 }, () => lane.start(task()))
  for await (const _ of first?.messages ?? []) break
  await lane.close()
  // Ports close in a later turn of the event loop.
  for (let turn = 0; ports() > before && turn < 1000; turn++) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(ports()).toBe(before)
})
