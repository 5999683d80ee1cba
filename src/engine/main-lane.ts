/**
 * The lane of the main thread, for what is in memory already, and for DuckDB, which has threads of its own: it reads on
 * while the rows before are taken and committed, as far ahead as a worker may. One task is read at a time: two queries
 * over files with large pages do not fit into DuckDB's memory. What the others will need can be prepared meanwhile.
 */
import { setTimeout as sleep } from "node:timers/promises"
import type { Running } from "./channel.ts"
import { type Message, type Task, WINDOW_BYTES } from "./protocol.ts"
import type { TaskLane } from "./threads.ts"
import { work } from "./work.ts"

/** How long a run that is over waits for what it has read last to close. */
const PATIENCE_MS = 2000

interface Reading extends Running {
  /** Settles when nothing is read any more. */
  readonly done: Promise<unknown>
  /** Nobody will ask for more. */
  cancel(): void
}

/** Reads ahead of whoever takes the messages, once it is the task's `turn`. */
const readAhead = (task: Task, turn: Promise<unknown>): Reading => {
  const abort = new AbortController()
  if ("prepare" in task.code) {
    const items = task.items.map(({ item }) => item)
    task.code.prepare?.(items, abort.signal)
  }
  const queue: Message[] = []
  let unread = 0
  let ended: { readonly error?: unknown } | undefined
  let wakeReader = (): void => {}
  let wakeWriter = (): void => {}

  const fill = async (): Promise<void> => {
    await turn
    for await (const message of work(task, abort.signal, () => {})) {
      queue.push(message)
      if (message.kind === "rows") unread += message.bytes
      wakeReader()
      while (unread >= WINDOW_BYTES && !abort.signal.aborted)
        await new Promise<void>((resolve) => (wakeWriter = resolve))
      if (abort.signal.aborted) return
    }
  }
  const done = fill()
    .then(
      () => (ended = {}),
      (error: unknown) => (ended = { error }),
    )
    .finally(() => wakeReader())

  async function* read(): AsyncGenerator<Message> {
    for (;;) {
      const message = queue.shift()
      if (message) {
        yield message
        if (message.kind === "rows") unread -= message.bytes
        wakeWriter()
      } else if (ended) {
        if ("error" in ended) throw ended.error
        return
      } else {
        await new Promise<void>((resolve) => (wakeReader = resolve))
      }
    }
  }

  return {
    done,
    messages: read(),
    cancel: () => {
      abort.abort()
      wakeWriter()
    },
  }
}

export const mainLane = (): TaskLane => {
  const open = new Set<Reading>()
  return {
    start: (task, urgent) => {
      // Tasks are started in the order in which they are taken.
      const before = urgent ? undefined : [...open].at(-1)
      const reading = readAhead(task, before?.done ?? Promise.resolve())
      open.add(reading)
      reading.done.finally(() => open.delete(reading))
      return reading
    },
    // One is read at a time.
    get busy() {
      return Math.min(open.size, 1)
    },
    // What a run that is stopped has no more use for must not keep the process alive.
    close: async () => {
      const left = [...open]
      for (const reading of left) reading.cancel()
      // A class of the user's own may wait for what never comes, and nobody can end that.
      const given = new AbortController()
      const patience = sleep(PATIENCE_MS, undefined, { signal: given.signal }).catch(() => {})
      await Promise.race([Promise.all(left.map(({ done }) => done)), patience])
      given.abort()
    },
  }
}
