/** The places where tasks run: worker threads, child processes, and the main thread for what is in memory already. */
import { mainLane } from "./main-lane.ts"
import { processLane } from "./processes.ts"
import { type TaskLane, threadLane } from "./threads.ts"

export interface Workers {
  /** Worker threads. There are half as many child processes at most (but two, where there are two threads). */
  readonly threads: number
  /** Milliseconds without progress after which an item is given up. */
  readonly timeout: number
  /** Bytes that one child process may take. */
  readonly memory: number
}

export const openLanes = ({ threads, timeout, memory }: Workers): TaskLane => {
  // A child has the memory of a whole process, and mostly copies packets.
  const processes = Math.min(threads, Math.max(2, Math.ceil(threads / 2)))
  const lanes = {
    thread: threadLane({ threads, timeout }),
    process: processLane({ processes, timeout, memory }),
    main: mainLane(),
  }
  return {
    start: (task, urgent) => lanes[task.lane].start(task, urgent),
    get busy() {
      return Object.values(lanes).reduce((sum, lane) => sum + lane.busy, 0)
    },
    close: async () => {
      await Promise.all(Object.values(lanes).map((lane) => lane.close()))
    },
  }
}
