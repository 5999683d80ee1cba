/** Entry of a child process: does one task at a time. It ends when its parent does, also when that was killed. */
import { Worker } from "node:worker_threads"
import { tooMuch } from "./memory.ts"
import type { Control, Message, Signal, Task } from "./protocol.ts"
import { type Line, runTask } from "./worker-loop.ts"

/** Memory grows by a few hundred megabytes in this time at most. */
const LOOK_MS = 100

let receive: (control: Control) => void = () => {}

const line: Line = {
  send: (message: Message | Signal) => process.send?.(message),
  listen: (listener) => {
    receive = listener
  },
}

process.on("disconnect", () => process.exit())
// A decoder that never returns would outlive a parent that was killed, and one that takes all memory would have the
// system kill whatever it likes: from inside it, this thread hears of nothing. What it has started ends with it.
const watch = `
  const { parent, limit, message } = require("node:worker_threads").workerData
  const end = () => {
    try { process.kill(-process.pid, "SIGKILL") } catch {}
    process.kill(process.pid, "SIGKILL")
  }
  setInterval(() => {
    if (process.ppid !== parent) end()
    if (process.memoryUsage.rss() <= limit) return
    try { require("node:fs").writeSync(2, "\\n" + message + "\\n") } catch {}
    end()
  }, ${LOOK_MS})
`
const limit = Number(process.argv[2])
const message = tooMuch(limit, "", "workers.memory")
new Worker(watch, { eval: true, workerData: { parent: process.ppid, limit, message } }).unref()

// A signal often reaches the whole group; the parent decides what becomes of the work.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {})

process.on("message", (message: { readonly task: Task } | Control) => {
  if ("task" in message) {
    void runTask(message.task, line)
  } else {
    receive(message)
  }
})
