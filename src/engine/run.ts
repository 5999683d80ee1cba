/**
 * One run: source → workers → buffer → commits, in the source's order, until the end or until it is told to stop.
 *
 * Three ways to stop early: a drain finishes what is in flight and commits it; a cut (too many failures, or a drain that
 * takes too long) drops the item that is not whole and commits the rest; an abort leaves the table at its last commit.
 */
import { rm } from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type { Ending, Progress, RunEvent, Summary } from "../model/events.ts"
import { withHiddenMessage } from "../model/hidden.ts"
import { consume } from "./consume.ts"
import { attempt } from "./effects.ts"
import { type Intake, openIntake } from "./intake.ts"
import { openLanes } from "./lanes.ts"
import { type Entry, list } from "./listing.ts"
import { mendCut, openLedger } from "./mend.ts"
import type { Plan } from "./plan.ts"
import { openStage } from "./stage-intake.ts"
import { tallyStage } from "./stage-tally.ts"
import { Tally } from "./tally.ts"
import { claimTempDir } from "./temp.ts"
import { removeVanished, Seen } from "./vanished.ts"

export interface RunControl {
  /** The run's id. */
  readonly run: string
  /** Aborted: drain. */
  readonly drain: AbortSignal
  /** Aborted: stop at the last commit. */
  readonly abort: AbortSignal
  readonly emit: (event: RunEvent) => void
  /** Is given a function that tells how far the run is, at any time. */
  readonly watch: (progress: () => Progress) => void
}

/** Entries that wait to be taken; their tasks are bounded by the listing itself. */
const QUEUE = 64

const aborted = (signal: AbortSignal): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const done = (): void => resume(Effect.void)
    if (signal.aborted) done()
    else signal.addEventListener("abort", done, { once: true })
    return Effect.sync(() => signal.removeEventListener("abort", done))
  })

const program = (plan: Plan, { run, drain, abort, emit, watch }: RunControl) =>
  Effect.gen(function* () {
    const started = performance.now()
    const replace = plan.mode === "replace"
    const writer = yield* Effect.acquireRelease(
      attempt(() => plan.sink.open({ create: plan.mode === "error" ? "new" : "if-missing" })),
      (open) => Effect.promise(() => open.close()),
    )
    const ledger = yield* attempt(() => openLedger(writer, { ignore: replace }))
    const tempDir = yield* Effect.acquireRelease(attempt(claimTempDir), (dir) =>
      Effect.promise(() => rm(dir, { recursive: true, force: true })),
    )
    const lanes = yield* Effect.acquireRelease(
      Effect.sync(() => openLanes(plan.workers)),
      (open) => Effect.promise(() => open.close()),
    )
    const stages = plan.stages.map((stage) => ({ stage, tally: tallyStage(stage.kind, stage.name) }))
    const tally = new Tally(
      plan.feed.source,
      stages.map(({ tally }) => tally),
    )
    tally.workersBusy = () => lanes.busy
    watch(() => tally.progress)
    const firstVersion = writer.version
    const startedAt = new Date().toISOString()
    const log = (ended: Ending | null) =>
      attempt(() =>
        writer.logRun({
          run,
          pipeline: plan.name,
          table: plan.sink.table,
          mode: plan.mode,
          started: startedAt,
          ended: ended && new Date().toISOString(),
          ending: ended,
          first_commit: ledger.lastCommit + 1,
          first_version: firstVersion,
          last_version: writer.version,
          rows: tally.rowsCommitted,
          ...tally.items,
        }),
      )
    yield* log(null)
    emit({ type: "started", run, resumedItems: ledger.items })

    const stopListing = new AbortController()
    const halted = yield* Deferred.make<"cut" | "abort">()
    const warnings: string[] = []
    const warn = (message: string): void => {
      warnings.push(message)
      emit({ type: "warning", message })
    }
    const { hide } = plan
    for (const notice of writer.notices ?? []) warn(hide ? hide(notice) : notice)
    let ending: Ending = "complete"
    const stop = (reason: Exclude<Ending, "complete">): void => {
      if (ending !== "complete") return
      ending = reason
      stopListing.abort()
      emit({ type: "stopping", reason })
    }
    const first = yield* openIntake({
      plan,
      writer,
      ledger,
      tally,
      run,
      replace,
      emit,
      overBudget: () => {
        stop("too-many-failures")
        Deferred.doneUnsafe(halted, Effect.succeed("cut"))
      },
    })

    const last: Intake = hide
      ? {
          ...first,
          empty: (item, why) => first.empty(item, why && hide(why)),
          partial: (item, message) => first.partial(item, hide(message)),
          failed: (item, stage, message) => first.failed(item, stage, hide(message)),
        }
      : first

    // Rows come to the first stage first, so the last one is opened first.
    let intake = last
    const known = plan.feed.columnTypes ?? {}
    for (const one of stages.toReversed()) intake = yield* openStage({ ...one, known, emit }, intake)

    yield* Effect.forkScoped(
      Effect.gen(function* () {
        yield* aborted(drain)
        stop("interrupted")
        yield* Effect.sleep(plan.shutdownTimeout)
        yield* Deferred.succeed(halted, "cut")
      }),
    )
    yield* Effect.forkScoped(
      Effect.gen(function* () {
        yield* aborted(abort)
        stop("interrupted")
        yield* Deferred.succeed(halted, "abort")
      }),
    )

    const seen = plan.mode === "sync" ? new Seen() : undefined
    const entries = yield* Queue.bounded<Entry>(QUEUE)
    const listing = yield* Effect.forkScoped(
      list(
        {
          plan,
          ledger,
          tally,
          seen,
          mendCut: (next) => mendCut(writer, ledger, next),
          lanes,
          tempDir,
          emit,
          stopping: () => ending !== "complete",
          context: {
            signal: stopListing.signal,
            warn,
          },
        },
        entries,
        // However the listing ends, what was listed is done and committed first.
      ).pipe(Effect.ensuring(Queue.offer(entries, { kind: "end" }))),
    )

    // The last rows can be at a stage for long: a stop is heard then, too.
    const commitRest = Effect.suspend(() => intake.commit(drain.aborted ? "shutdown" : "end"))
    const all = Effect.andThen(consume({ plan, lanes, tempDir, intake, tally, emit }, entries), commitRest)
    const work = Effect.raceFirst(all, intake.ticker)
    const outcome = yield* Effect.raceFirst(Effect.as(work, "complete" as const), Deferred.await(halted))
    if (outcome === "cut") yield* Effect.andThen(intake.cut(), commitRest)
    yield* intake.settled
    if (outcome === "complete") yield* Fiber.join(listing)
    if (seen && tally.listingComplete && ending === "complete") {
      const { removed, refused } = yield* attempt(() => removeVanished(writer, ledger, seen, plan.maxDeleteRatio))
      tally.removed = removed
      if (refused !== undefined) warn(refused)
    }
    if (outcome !== "abort") yield* attempt(() => writer.finish())
    yield* log(ending)

    const summary: Summary = {
      run,
      pipeline: plan.name,
      table: plan.sink.table,
      uri: plan.sink.uri,
      version: writer.version,
      ending,
      items: tally.items,
      rows: tally.rowsCommitted,
      bytes: tally.bytes,
      seconds: (performance.now() - started) / 1000,
      rowsByMedium: tally.rowsByMedium,
      warnings,
    }
    emit({ type: "finished", summary })
    return summary
  })

/** Runs the plan to its end. Rejects with what stopped it when that was no stop that was asked for; the last commit stands. */
export const execute = async (plan: Plan, control: RunControl): Promise<Summary> => {
  try {
    return await Effect.runPromise(Effect.scoped(program(plan, control)))
  } catch (error) {
    throw plan.hide ? withHiddenMessage(error, plan.hide) : error
  }
}
