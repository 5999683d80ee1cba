/** The lane of worker threads, on Piscina. */
import { MessageChannel } from "node:worker_threads"
import { Piscina } from "piscina"
import { messageOf } from "../model/errors.ts"
import { type Channel, openChannel, type Running } from "./channel.ts"
import type { At, Control, Message, Signal, Task } from "./protocol.ts"
import { watchMemory } from "./thread-memory.ts"

export interface TaskLane {
  /**
   * Runs the task as soon as there is a worker for it; at once, beyond the number of workers, when it is `urgent`: the
   * reader waits for it, and all workers may be inside of later tasks, waiting for the reader. There is one such task
   * at a time.
   */
  start(task: Task, urgent?: boolean): Running
  /** Workers that are at a task. */
  readonly busy: number
  close(): Promise<void>
}

/** The extension of a worker's file follows our own: .ts when run from source, .js when run from dist. */
export const workerUrl = (name: string): URL =>
  new URL(`./${name}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

/** Heap of a thread. Decoded media are outside of it; they are bounded by what an item may take. */
const HEAP_MB = 512

const describe = (error: unknown): string => {
  if (error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") {
    return `the worker needed more than ${HEAP_MB} MiB of heap`
  }
  return `the worker died: ${messageOf(error)}`
}

export const threadLane = (options: { readonly threads: number; readonly timeout: number }): TaskLane => {
  let pool: Piscina | undefined
  const newPool = (): Piscina =>
    new Piscina({
      filename: workerUrl("thread-worker").href,
      minThreads: 0,
      // One more for what is urgent.
      maxThreads: options.threads + 1,
      idleTimeout: 10_000,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })

  /**
   * Tasks start in the order in which they come, and no sooner than a thread is free for them. Piscina's own queue does
   * not keep to it; then all threads could be inside of later tasks, waiting for a reader who waits for an earlier one.
   */
  const waiting: (() => void)[] = []
  /** Channels that have not ended: their ports would keep the process alive. */
  const open = new Set<Channel>()
  let running = 0
  const leave = (): void => {
    running--
    waiting.shift()?.()
  }

  return {
    start: (task, urgent = false) => {
      pool ??= newPool()
      const threads = pool
      const { port1, port2 } = new MessageChannel()
      const abort = new AbortController()
      const channel = openChannel({
        send: (control: Control) => port1.postMessage(control),
        kill: () => abort.abort(),
        timeout: options.timeout,
      })
      let thread: number | undefined
      port1.on("message", (message: Message | Signal | At) => {
        if (message.kind === "at") thread = message.thread
        else channel.receive(message)
      })
      const begin = (): void => {
        if (!urgent) running++
        const death = threads
          .run({ task, port: port2 }, { transferList: [port2], signal: abort.signal })
          .then(() => "the worker left", describe)
          .finally(() => urgent || leave())
        const unwatch = watchMemory(
          () => threads.threads.find(({ threadId }) => threadId === thread),
          task.maxBytes,
          (reason) => {
            abort.abort()
            channel.lost(reason)
          },
        )
        channel.onEnd(unwatch)
        // The port closes after its last message, so what a dying worker had said is not lost.
        port1.on("close", async () => channel.lost(await death))
      }
      open.add(channel)
      channel.onEnd(() => {
        open.delete(channel)
        const place = waiting.indexOf(begin)
        if (place >= 0) waiting.splice(place, 1)
        port1.close()
      })
      if (urgent || running < options.threads) begin()
      else waiting.push(begin)
      return channel
    },
    get busy() {
      return open.size - waiting.length
    },
    close: async () => {
      waiting.length = 0
      for (const channel of open) channel.lost("the run is over")
      await pool?.destroy()
    },
  }
}
