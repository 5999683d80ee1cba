/** Entry of a child process: does one task at a time. It ends when its parent does, also when that was killed. */
import { Worker } from "node:worker_threads"
import type { Control, Message, Signal, Task } from "./protocol.ts"
import { type Line, runTask } from "./worker-loop.ts"

let receive: (control: Control) => void = () => {}

const line: Line = {
  send: (message: Message | Signal) => process.send?.(message),
  listen: (listener) => {
    receive = listener
  },
}

process.on("disconnect", () => process.exit())
// A decoder that never returns would outlive a parent that was killed: from inside it, this thread hears of nothing.
const watch = `
  const { workerData } = require("node:worker_threads")
  setInterval(() => process.ppid === workerData || process.kill(process.pid, "SIGKILL"), 1000)
`
new Worker(watch, { eval: true, workerData: process.ppid }).unref()

// A signal often reaches the whole group; the parent decides what becomes of the work.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {})

process.on("message", (message: { readonly task: Task } | Control) => {
  if ("task" in message) {
    void runTask(message.task, line)
  } else {
    receive(message)
  }
})
