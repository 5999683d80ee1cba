/** The worker's end of a channel: sends what `work` yields, and waits when too much of it is unread. */
import { transferable } from "../model/batch.ts"
import { messageOf } from "../model/errors.ts"
import { type Control, type Message, type RowsMessage, type Signal, type Task, WINDOW_BYTES } from "./protocol.ts"
import { work } from "./work.ts"

export interface Line {
  /** Hands a message over; the buffers are transferred where the line can do that. */
  readonly send: (message: Message | Signal, buffers: readonly ArrayBuffer[]) => void
  /** Calls back for every control message, until the task is done. */
  readonly listen: (receive: (control: Control) => void) => void
}

/** A worker that nobody has a use for any more is ended as a whole. */
const UNENDING = new AbortController().signal

/** A sign of life at most this often. */
const BEAT_MS = 1000

const pack = (message: RowsMessage): { readonly message: RowsMessage; readonly buffers: readonly ArrayBuffer[] } => {
  const main = transferable(message.batch)
  const side = Object.entries(message.side).map(([name, batch]) => [name, transferable(batch)] as const)
  return {
    message: {
      ...message,
      batch: main.batch,
      side: Object.fromEntries(side.map(([name, packed]) => [name, packed.batch])),
    },
    // A buffer may be listed once only, also when several columns share it.
    buffers: [...new Set([...main.buffers, ...side.flatMap(([, packed]) => packed.buffers)])],
  }
}

export const runTask = async (task: Task, line: Line): Promise<void> => {
  let credit = WINDOW_BYTES
  let wake = (): void => {}
  line.listen((control) => {
    credit += control.credit
    wake()
  })
  let lastBeat = 0
  const beat = (): void => {
    const now = performance.now()
    if (now - lastBeat < BEAT_MS) return
    lastBeat = now
    line.send({ kind: "beat" }, [])
  }
  try {
    for await (const message of work(task, UNENDING, beat)) {
      if (message.kind !== "rows") {
        line.send(message, [])
        continue
      }
      while (credit <= 0) await new Promise<void>((resolve) => (wake = resolve))
      credit -= message.bytes
      const packed = pack(message)
      line.send(packed.message, packed.buffers)
    }
    line.send({ kind: "end" }, [])
  } catch (error) {
    line.send({ kind: "end", error: messageOf(error) }, [])
  }
}
