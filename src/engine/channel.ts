/**
 * The main thread's end of a running task: takes messages in as they come and hands them out as they are asked for.
 * How much may lie in between is bounded by credit, and a worker that is silent for too long is given up.
 */
import { FatalError } from "../model/errors.ts"
import { type Control, type Message, type Signal, WINDOW_BYTES } from "./protocol.ts"

/** The worker died, or was given up. What it had sent before stays valid. */
export class WorkerLost extends Error {}

export interface Running {
  /** The task's messages in order. Throws {@link WorkerLost} after the last one of a worker that died. */
  readonly messages: AsyncIterable<Message>
}

export interface Channel extends Running {
  receive(message: Message | Signal): void
  /** No more will come, for the given reason. Does nothing after the end. */
  lost(reason: string): void
  /** Called once, when the task has ended in whatever way. */
  onEnd(listener: () => void): void
}

const CHECK_MS = 500

interface ChannelOptions {
  readonly send: (control: Control) => void
  readonly kill: () => void
  /** Milliseconds without progress after which the worker is given up; waiting for the reader does not count. */
  readonly timeout: number
}

export const openChannel = ({ send, kill, timeout }: ChannelOptions): Channel => {
  const queue: Message[] = []
  const endListeners: (() => void)[] = []
  let unread = 0
  let ended = false
  let failure: Error | undefined
  let wake = (): void => {}
  let lastSeen = 0
  let lastCheck = 0
  let watchdog: NodeJS.Timeout | undefined

  const end = (error?: Error): void => {
    if (ended) return
    ended = true
    failure = error
    clearInterval(watchdog)
    wake()
    for (const listener of endListeners) listener()
  }

  const check = (): void => {
    const now = performance.now()
    // The main thread itself stood still (a suspended machine, say): that is no fault of the worker.
    if (now - lastCheck > CHECK_MS + timeout / 2) lastSeen = now
    lastCheck = now
    if (unread >= WINDOW_BYTES || now - lastSeen < timeout) return
    kill()
    end(new WorkerLost(`no progress for ${timeout / 1000} s`))
  }

  const receive = (message: Message | Signal): void => {
    if (ended) return
    lastSeen = performance.now()
    if (!watchdog) {
      lastCheck = lastSeen
      watchdog = setInterval(check, Math.min(CHECK_MS, timeout / 2)).unref()
    }
    if (message.kind === "end") {
      end(message.error === undefined ? undefined : new FatalError(`A worker could not run: ${message.error}`))
    } else if (message.kind !== "beat") {
      if (message.kind === "rows") unread += message.bytes
      queue.push(message)
      wake()
    }
  }

  async function* read(): AsyncGenerator<Message> {
    for (;;) {
      const message = queue.shift()
      if (message) {
        yield message
        if (message.kind === "rows" && !ended) {
          unread -= message.bytes
          lastSeen = performance.now()
          send({ credit: message.bytes })
        }
      } else if (ended) {
        if (failure) throw failure
        return
      } else {
        await new Promise<void>((resolve) => (wake = resolve))
      }
    }
  }

  return {
    messages: read(),
    receive,
    lost: (reason) => end(new WorkerLost(reason)),
    onEnd: (listener) => {
      if (ended) listener()
      else endListeners.push(listener)
    },
  }
}
