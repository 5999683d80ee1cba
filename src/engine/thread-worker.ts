/** Entry of a worker thread: does one task at a time, answering on the port that comes with it. */
import { type MessagePort, threadId } from "node:worker_threads"
import type { At, Control, Task } from "./protocol.ts"
import { runTask } from "./worker-loop.ts"

export default async ({ task, port }: { readonly task: Task; readonly port: MessagePort }): Promise<void> => {
  try {
    port.postMessage({ kind: "at", thread: threadId } satisfies At)
    await runTask(task, {
      send: (message, buffers) => port.postMessage(message, buffers),
      listen: (receive) => port.on("message", (control: Control) => receive(control)),
    })
  } finally {
    port.close()
  }
}
