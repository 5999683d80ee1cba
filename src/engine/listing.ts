/**
 * Lists the source, leaves out what the table has, and starts tasks for the rest, in order. Small items share a task.
 * It goes no further ahead than a few tasks for each worker, and no more bytes than fit.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import type { RunEvent } from "../model/events.ts"
import { versionOf } from "../model/feed.ts"
import type { Item } from "../model/item.ts"
import type { Lane } from "../model/normalizer.ts"
import type { SourceContext } from "../model/source.ts"
import type { Running } from "./channel.ts"
import { attempt } from "./effects.ts"
import type { Ledger, Standing } from "./ledger.ts"
import type { Plan } from "./plan.ts"
import type { Task, TaskItem } from "./protocol.ts"
import type { Tally } from "./tally.ts"
import type { TaskLane } from "./threads.ts"
import type { Seen } from "./vanished.ts"

/** What the listing hands on, in the source's order. */
export type Entry =
  | { readonly kind: "task"; readonly task: Task; readonly running: Running; readonly release: Effect.Effect<void> }
  | { readonly kind: "unreadable"; readonly item: TaskItem; readonly error: string }
  | { readonly kind: "end" }

/** Items share a task as long as they are few and small. */
const TASK_ITEMS = 64
const TASK_BYTES = 4 << 20

/** Tasks that run or wait, for each worker; so none stands idle while the rows of the first are taken. */
const TASKS_PER_WORKER = 2

/** Input of items in flight; one item counts as no more than a quarter, as large ones are streamed. */
const BYTES_IN_FLIGHT = 256 << 20
const weigh = (task: Task): number =>
  task.items.reduce((sum, { item }) => sum + Math.min(item.bytes, BYTES_IN_FLIGHT / 4), 0)

interface ListingOptions {
  readonly plan: Plan
  readonly ledger: Ledger
  readonly tally: Tally
  /** Takes note of what is listed, where somebody wants to know what is not. */
  readonly seen: Seen | undefined
  readonly lanes: TaskLane
  readonly tempDir: string
  readonly emit: (event: RunEvent) => void
  readonly context: SourceContext
  /** Mends what a killed run was inside of; see `mend.ts`. */
  readonly mendCut: (next?: Pick<TaskItem, "item" | "version">) => Promise<number>
  /** True once the run is to stop: nothing more is started. */
  readonly stopping: () => boolean
}

export const newTask = (plan: Plan, tempDir: string, lane: Lane, items: readonly TaskItem[]): Task => ({
  code: plan.feed.code,
  lane,
  items,
  tempDir,
  maxBytes: plan.maxItemBytes,
})

type Found =
  | { readonly kind: "group"; readonly lane: Lane; readonly items: readonly TaskItem[] }
  | Extract<Entry, { kind: "unreadable" }>

/** Whether an item that is known is to be done again. */
export const isDoneAgain = (standing: Standing, { mode, failed }: Plan): boolean =>
  (standing === "failed" && failed !== "skip") || (standing === "outdated" && mode === "sync")

/** The items up to where the listing fails. A generator around another one costs as much again, for each of millions. */
const untilFailure = (items: AsyncIterable<Item>, onFailure: (error: unknown) => void): AsyncIterable<Item> => ({
  [Symbol.asyncIterator]: () => {
    const iterator = items[Symbol.asyncIterator]()
    const end: IteratorResult<Item> = { done: true, value: undefined }
    return {
      next: () =>
        iterator.next().then(undefined, (error: unknown) => {
          onFailure(error)
          return end
        }),
      return: async () => (await iterator.return?.()) ?? end,
    }
  },
})

/** The items that are to be done, in groups of one task. While a worker stands `idle`, none waits for company. */
async function* find(options: ListingOptions, idle: () => boolean): AsyncGenerator<Found> {
  const { plan, ledger, tally, seen, context, stopping } = options
  let items: TaskItem[] = []
  let lane: Lane = "thread"
  let bytes = 0
  const group = (): Found[] => {
    const found: Found[] = items.length > 0 ? [{ kind: "group", lane, items }] : []
    items = []
    bytes = 0
    return found
  }

  let mended = false
  /** Nothing may be committed, no record either, before what a killed run left is mended: one hand writes at a time. */
  const mend = async (next?: Pick<TaskItem, "item" | "version">): Promise<number> => {
    if (mended) return 0
    mended = true
    // What is about to be replaced has nothing to go on with, and which rows were left out cannot be told any more.
    const leavesOut = plan.contract === "discard_row" || plan.stages.some(({ kind }) => kind === "filter")
    return options.mendCut(plan.mode === "replace" || leavesOut ? undefined : next)
  }

  let failure: { readonly error: unknown } | undefined
  const listed = untilFailure(plan.feed.source.items(context), (error) => {
    failure = { error }
  })

  for await (const item of listed) {
    if (stopping()) return
    tally.count("listed")
    const route = plan.feed.route(item)
    const version = versionOf(item, route)
    const standing = ledger.standing(item.id, version)
    seen?.add(item, standing === "done" && ledger.attempts(item.id) > 0)
    if (standing !== "new" && !isDoneAgain(standing, plan)) {
      tally.count(standing === "done" ? "unchanged" : standing)
      continue
    }
    // An item that failed may have been mended since, and is another version then.
    if (plan.failed === "only" && ledger.attempts(item.id) === 0) continue
    if (item.error !== undefined) {
      await mend()
      yield* group()
      yield { kind: "unreadable", item: { item, version, skip: 0 }, error: item.error }
      continue
    }
    if (route.lane !== lane || bytes + item.bytes > TASK_BYTES) yield* group()
    lane = route.lane
    items.push({ item, version, skip: await mend({ item, version }) })
    bytes += item.bytes
    if (items.length >= TASK_ITEMS || idle()) yield* group()
  }
  // What was listed before the source failed is good.
  yield* group()
  if (stopping()) return
  if (failure) {
    tally.list.failed++
    throw failure.error
  }
  await mend()
  tally.listingComplete = true
}

/** Lists everything into `entries`; fails with what the source threw. The caller adds the `end`. */
export const list = (options: ListingOptions, entries: Queue.Queue<Entry>): Effect.Effect<void, Error> =>
  Effect.gen(function* () {
    const { plan, lanes, tally, tempDir, stopping, emit } = options
    const begun = performance.now()
    /** Without what it waits for the stages after it. */
    let milliseconds = 0
    tally.list.inFlight = 1
    const slots = yield* Semaphore.make(plan.workers.threads * TASKS_PER_WORKER)
    const memory = yield* Semaphore.make(BYTES_IN_FLIGHT)
    let running = 0
    const found = find(options, () => running < plan.workers.threads)
    for (;;) {
      const asked = performance.now()
      const next = yield* attempt(() => found.next())
      milliseconds += performance.now() - asked
      if (next.done || stopping()) break
      if (next.value.kind === "unreadable") {
        yield* Queue.offer(entries, next.value)
        continue
      }
      const task = newTask(plan, tempDir, next.value.lane, next.value.items)
      const weight = Math.min(weigh(task), BYTES_IN_FLIGHT)
      yield* slots.take(1)
      yield* memory.take(weight)
      if (stopping()) break
      running++
      tally.bytesInFlight += weight
      tally.itemsInFlight += task.items.length
      tally.bytesPending += task.items.reduce((sum, { item }) => sum + item.bytes, 0)
      const release = Effect.suspend(() => {
        running--
        tally.bytesInFlight -= weight
        tally.itemsInFlight -= task.items.length
        return Effect.andThen(memory.release(weight), slots.release(1))
      })
      yield* Queue.offer(entries, { kind: "task", task, running: lanes.start(task), release })
    }
    tally.list.inFlight = 0
    tally.list.took(milliseconds / 1000)
    if (!tally.listingComplete) return
    emit({ type: "listed", items: tally.items.listed, seconds: (performance.now() - begun) / 1000 })
  })
