/**
 * Follows the tasks in the order in which they were started, and gives their messages to the intake. A worker that dies
 * costs the item it was at; the task's other items are done by another one.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { FatalError } from "../model/errors.ts"
import type { RunEvent } from "../model/events.ts"
import type { Lane } from "../model/normalizer.ts"
import { type Running, WorkerLost } from "./channel.ts"
import { attempt } from "./effects.ts"
import type { Intake } from "./intake.ts"
import type { ItemVersion } from "./ledger.ts"
import { type Entry, newTask } from "./listing.ts"
import type { Plan } from "./plan.ts"
import type { Message, Task, TaskItem } from "./protocol.ts"
import type { Tally } from "./tally.ts"
import type { TaskLane } from "./threads.ts"

type Step<A = void> = Effect.Effect<A, Error, Scope.Scope>

interface ConsumeOptions {
  readonly plan: Plan
  readonly lanes: TaskLane
  readonly tempDir: string
  readonly intake: Intake
  readonly tally: Tally
  readonly emit: (event: RunEvent) => void
}

/** A worker that dies before it turns to an item is none of the items' fault; so often it may happen in a row. */
const STARTS = 3

/** How far a task has come: items before `settled` are settled, `begun` is the one the worker turned to last. */
interface Position {
  settled: number
  begun: number
  /** When that was heard of. */
  since: number
}

const identify = ({ item, version }: TaskItem): ItemVersion => ({ item: item.id, version })

export const consume = (options: ConsumeOptions, entries: Queue.Queue<Entry>): Step => {
  const { plan, lanes, tempDir, intake, tally, emit } = options
  const { normalize } = tally

  const start = (lane: Lane, items: readonly TaskItem[], failedStarts = 0): Step =>
    Effect.suspend(() => {
      if (items.length === 0) return Effect.void
      const task = newTask(plan, tempDir, lane, items)
      return follow(task, lanes.start(task, true), failedStarts)
    })

  const take = (task: Task, message: Message, position: Position): Step =>
    Effect.suspend(() => {
      if (message.kind === "begin") {
        position.begun = message.index
        position.since = performance.now()
        const begun = task.items[message.index]
        return begun && begun.skip > 0 ? intake.resume(begun) : Effect.void
      }
      if (message.kind === "rows") {
        const from = position.settled
        position.settled += message.spans.filter((span) => span.end).length
        for (const { item } of task.items.slice(from, position.settled)) {
          tally.bytes += item.bytes
          tally.bytesPending -= item.bytes
        }
        for (const seconds of message.seconds ?? []) normalize.took(seconds)
        normalize.rowsOut += message.batch.rows
        return intake.rows(message)
      }
      const item = task.items[message.index]
      if (!item) return Effect.die(new RangeError(`A worker spoke of item ${message.index} of ${task.items.length}`))
      const own = identify(item)
      if (message.kind === "slow") {
        const { rows, begun, seconds } = message
        const about = { stage: "normalize", name: "normalize", item: own.item, items: 1, rows, attempt: 1 } as const
        emit({ type: "call", ...about, begun, seconds, error: null })
        return Effect.void
      }
      if (message.kind === "partial") return intake.partial(own, message.message)
      position.settled = message.index + 1
      if (message.kind !== "lane") {
        tally.bytesPending -= item.item.bytes
        normalize.took(message.seconds)
      }
      switch (message.kind) {
        case "empty":
          return intake.empty(own)
        case "failed":
          normalize.failed++
          return message.fatal
            ? Effect.fail(new FatalError(`${item.item.id}: ${message.message}`))
            : intake.failed(own, message.stage, message.message)
        case "lane":
          return start(message.lane, [item])
      }
    })

  /** Goes on after a worker was lost: what it had finished but not sent is done again, the item it was at is given up. */
  const recover = (task: Task, { settled, begun, since }: Position, reason: string, failedStarts: number): Step =>
    Effect.gen(function* () {
      tally.workersLost++
      if (begun < 0) {
        if (failedStarts + 1 >= STARTS) yield* Effect.fail(new FatalError(`Workers die before they start: ${reason}`))
        return yield* start(task.lane, task.items, failedStarts + 1)
      }
      const open = task.items[settled]
      const lost = begun >= settled ? task.items[begun] : undefined
      if (open && open !== lost) {
        yield* intake.restart(identify(open))
        const anew = task.items.slice(settled, lost ? begun : undefined).map((item) => ({ ...item, skip: 0 }))
        normalize.retries += anew.length
        yield* start(task.lane, anew)
      }
      if (!lost) return
      tally.bytesPending -= lost.item.bytes
      normalize.failed++
      normalize.took((performance.now() - since) / 1000)
      yield* intake.failed(identify(lost), "normalize", reason)
      yield* start(task.lane, task.items.slice(begun + 1))
    })

  const follow = (task: Task, running: Running, failedStarts: number): Step =>
    Effect.gen(function* () {
      const position: Position = { settled: 0, begun: -1, since: 0 }
      const messages = running.messages[Symbol.asyncIterator]()
      for (;;) {
        const next = yield* Effect.result(attempt(() => messages.next()))
        if (next._tag === "Failure") {
          if (!(next.failure instanceof WorkerLost)) return yield* Effect.fail(next.failure)
          return yield* recover(task, position, next.failure.message, failedStarts)
        }
        if (next.success.done) break
        yield* take(task, next.success.value, position)
      }
      if (position.settled < task.items.length) {
        yield* Effect.die(new Error(`A worker ended its task after ${position.settled} of ${task.items.length} items`))
      }
    })

  return Effect.gen(function* () {
    for (;;) {
      const entry = yield* Queue.take(entries)
      if (entry.kind === "end") return
      if (entry.kind === "unreadable") {
        yield* intake.failed(identify(entry.item), "list", entry.error)
        continue
      }
      yield* follow(entry.task, entry.running, 0)
      yield* entry.release
    }
  })
}
