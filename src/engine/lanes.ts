/** The places where tasks run: worker threads, child processes, and the main thread for what is in memory already. */
import type { Running } from "./channel.ts"
import { processLane } from "./processes.ts"
import type { Message, Task } from "./protocol.ts"
import { type TaskLane, threadLane } from "./threads.ts"
import { work } from "./work.ts"

export interface Workers {
  /** Worker threads. There are half as many child processes at most (but two, where there are two threads). */
  readonly threads: number
  /** Milliseconds without progress after which an item is given up. */
  readonly timeout: number
}

const mainLane = (): TaskLane => {
  const running = new Set<AbortController>()
  return {
    start: (task: Task): Running => {
      const abort = new AbortController()
      running.add(abort)
      if ("prepare" in task.code) {
        const items = task.items.map(({ item }) => item)
        task.code.prepare?.(items, abort.signal)
      }
      const messages = async function* (): AsyncGenerator<Message> {
        try {
          yield* work(task, abort.signal, () => {})
        } finally {
          running.delete(abort)
        }
      }
      return { messages: messages(), cancel: () => abort.abort() }
    },
    // What a run that is stopped has no more use for must not keep the process alive.
    close: async () => {
      for (const abort of running) abort.abort()
    },
  }
}

export const openLanes = ({ threads, timeout }: Workers): TaskLane => {
  const lanes = {
    thread: threadLane({ threads, timeout }),
    // A child has the memory of a whole process, and mostly copies packets.
    process: processLane({ processes: Math.min(threads, Math.max(2, Math.ceil(threads / 2))), timeout }),
    main: mainLane(),
  }
  return {
    start: (task) => lanes[task.lane].start(task),
    close: async () => {
      await Promise.all(Object.values(lanes).map((lane) => lane.close()))
    },
  }
}
