/** The lane of child processes: for native code that can crash or hang without taking the run with it. */
import { type ChildProcess, fork } from "node:child_process"
import { type Channel, openChannel } from "./channel.ts"
import type { Message, Signal, Task } from "./protocol.ts"
import { type TaskLane, workerUrl } from "./threads.ts"

type Begin = (child: ChildProcess) => void

/** A child without work is ended after so many milliseconds: it has the memory of a whole process. */
const IDLE_MS = 1000

/** What a dying child said last is part of the message. */
const STDERR_TAIL = 400

interface ProcessOptions {
  readonly processes: number
  readonly timeout: number
  /** Bytes that one of them may take. */
  readonly memory: number
}

/** Ends the child and what it has started: each has a group of its own. */
const kill = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined && OWN_GROUP) process.kill(-child.pid, "SIGKILL")
  } catch {
    // There is none any more.
  }
  child.kill("SIGKILL")
}

/** Windows has no such groups, and would open a window. */
const OWN_GROUP = process.platform !== "win32"

export const processLane = (options: ProcessOptions): TaskLane => {
  const children = new Set<ChildProcess>()
  /** Children without work, each with the timer that will end it. */
  const idle = new Map<ChildProcess, NodeJS.Timeout>()
  const waiting: Begin[] = []
  let closed = false

  const spawn = (): ChildProcess => {
    const child = fork(workerUrl("process-worker"), [String(options.memory)], {
      execArgv: process.execArgv.filter((arg) => arg.startsWith("--conditions=")),
      detached: OWN_GROUP,
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    })
    children.add(child)
    // One that cannot be reached between two tasks is of no use any more.
    child.on("error", () => kill(child))
    child.once("exit", () => {
      kill(child)
      children.delete(child)
      wake(child)
      next()
    })
    return child
  }

  const wake = (child: ChildProcess): void => {
    clearTimeout(idle.get(child))
    idle.delete(child)
  }

  const rest = (child: ChildProcess): void => {
    if (children.size > options.processes) {
      kill(child)
      return
    }
    const timer = setTimeout(() => {
      idle.delete(child)
      kill(child)
    }, IDLE_MS)
    idle.set(child, timer.unref())
    next()
  }

  const rested = (): ChildProcess | undefined => {
    const [child] = idle.keys()
    if (child) wake(child)
    return child
  }

  const next = (): void => {
    if (closed || waiting.length === 0) return
    const child = rested() ?? (children.size < options.processes ? spawn() : undefined)
    if (child) waiting.shift()?.(child)
  }

  const attach = (child: ChildProcess, channel: Channel, task: Task): void => {
    let tail = ""
    const onMessage = (message: Message | Signal): void => channel.receive(message)
    const onStderr = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-STDERR_TAIL)
    }
    // "close" comes when the last message and the last line of stderr are in.
    const onClose = (code: number | null, signal: NodeJS.Signals | null): void => {
      const last = tail.trim().split("\n").at(-1)
      channel.lost(`the worker process died (${signal ?? `exit code ${code}`})${last ? `: ${last}` : ""}`)
    }
    const onError = (error: Error): void => channel.lost(`the worker process could not be reached: ${error.message}`)
    child.on("message", onMessage)
    child.stderr?.on("data", onStderr)
    child.once("close", onClose)
    child.on("error", onError)
    channel.onEnd(() => {
      child.off("message", onMessage)
      child.stderr?.off("data", onStderr)
      child.off("close", onClose)
      child.off("error", onError)
      if (child.connected && child.exitCode === null && !child.killed) rest(child)
      else next()
    })
    child.send({ task })
  }

  return {
    start: (task, urgent) => {
      let child: ChildProcess | undefined
      const channel = openChannel({
        send: (control) => {
          if (child?.connected) child.send(control)
        },
        kill: () => child && kill(child),
        timeout: options.timeout,
      })
      const begin: Begin = (free) => {
        child = free
        attach(free, channel, task)
      }
      if (urgent) begin(rested() ?? spawn())
      else waiting.push(begin)
      next()
      return channel
    },
    get busy() {
      return children.size - idle.size
    },
    close: async () => {
      closed = true
      const running = [...children].filter((child) => child.exitCode === null && child.signalCode === null)
      const exits = running.map((child) => new Promise((resolve) => child.once("exit", resolve)))
      for (const child of running) kill(child)
      await Promise.all(exits)
    },
  }
}
