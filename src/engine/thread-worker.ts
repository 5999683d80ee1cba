/** Entry of a worker thread: does one task at a time, answering on the port that comes with it. */
import type { MessagePort } from "node:worker_threads"
import type { Control, Task } from "./protocol.ts"
import { runTask } from "./worker-loop.ts"

export default async ({ task, port }: { readonly task: Task; readonly port: MessagePort }): Promise<void> => {
  try {
    await runTask(task, {
      send: (message, buffers) => port.postMessage(message, buffers),
      listen: (receive) => port.on("message", (control: Control) => receive(control)),
    })
  } finally {
    port.close()
  }
}
