/** What the runs of schedules come to, as metrics. Labels name pipelines, stages and reasons; never items. */
import type { Ending, Occasion, Progress, RunEvent } from "../model/events.ts"
import type { Stage } from "../model/item.ts"
import type { ScheduleEvent } from "../schedule/events.ts"
import type { Metrics } from "./metrics.ts"
import { stageMetrics } from "./stage-metrics.ts"

/** What is watched: a schedule's handle. */
export interface Watched {
  /** When the next run begins, in milliseconds since 1970. */
  readonly next: number | undefined
  /** How far the run is that goes on. */
  stats(): Progress | undefined
}

export interface PipelineMeter {
  event(event: ScheduleEvent): void
  /** A run came to its end; said here of one in an earlier process. In milliseconds since 1970. */
  succeeded(at: number): void
  /** Forgets the pipeline. */
  close(): void
}

/** Counts that go up with a run's progress. */
const TOTALS: readonly (readonly [name: string, help: string, count: (progress: Progress) => number])[] = [
  ["items_discovered", "Items that the source listed, in all runs.", ({ items }) => items.listed],
  ["items_unchanged", "Items that were in the table already, at the same version.", ({ items }) => items.unchanged],
  ["items_deleted", "Items that had vanished from the source, and were removed.", ({ items }) => items.removed],
  ["rows_normalized", "Rows that normalizers gave.", ({ flow }) => flow.rowsNormalized],
  ["rows_flushed", "Rows that were put together to record batches.", ({ flow }) => flow.rowsFlushed],
  ["rows_committed", "Rows that were committed.", ({ rowsCommitted }) => rowsCommitted],
  ["bytes_read", "Bytes of the items whose rows were taken in, as the source has them.", ({ bytes }) => bytes],
  ["bytes_written", "Bytes of committed rows, as they were in memory.", ({ flow }) => flow.bytesCommitted],
  ["worker_restarts", "Workers that died or had to be ended, and were replaced.", ({ flow }) => flow.workersLost],
]

/** What holds while a run goes on. */
const GAUGES: readonly (readonly [name: string, help: string, value: (progress: Progress) => number])[] = [
  ["worker_busy", "Workers that are at a task.", ({ flow }) => flow.workersBusy],
  ["buffer_bytes", "Bytes of rows that no commit has taken yet.", ({ flow }) => flow.bytesBuffered],
  ["inflight_bytes", "Bytes of the items that are with the workers.", ({ flow }) => flow.bytesInFlight],
]

const STAGES: readonly Stage[] = ["list", "normalize", "map", "write"]
const OCCASIONS: readonly Occasion[] = ["rows", "bytes", "period", "end", "shutdown"]
const ENDINGS: readonly (Ending | "failed")[] = ["complete", "interrupted", "too-many-failures", "failed"]
const SKIPPED = ["overlap", "missed"] as const

const COMMIT_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const RUN_SECONDS = [1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200]

/** Makes the metrics; gives what watches one pipeline. */
export const runMetrics = (metrics: Metrics, now: () => number = Date.now) => {
  const counter = (name: string, help: string) => metrics.counter(`ingest_${name}_total`, help)
  const gauge = (name: string, help: string) => metrics.gauge(`ingest_${name}`, help)
  const totals = TOTALS.map(([name, help, count]) => ({ counter: counter(name, help), count }))
  const gauges = GAUGES.map(([name, help, value]) => ({ gauge: gauge(name, help), value }))
  const stages = stageMetrics(metrics)
  const processed = counter("items_processed", "Items that were done: their rows were committed, or they have none.")
  const failed = counter("items_failed", "Items that failed, and had not before, by the stage where they did.")
  const flushes = counter("flushes", "Flushes, by what caused them.")
  const commits = counter("commits", "Commits, by what caused them.")
  const commitSeconds = metrics.histogram("ingest_commit_seconds", "Time that a commit took.", COMMIT_SECONDS)
  const runs = counter("runs", "Runs, by how they ended.")
  const runSeconds = metrics.histogram("ingest_run_seconds", "Time that a run took which was not failed.", RUN_SECONDS)
  const skipped = counter("schedule_skipped", "Times without a run: the one before went on, or no server was there.")
  const active = gauge("run_active", "1 while a run goes on.")
  const age = gauge("checkpoint_age_seconds", "Time since the last commit, or since the start of a run without one.")
  const success = gauge("last_success_timestamp_seconds", "When a run last came to its end.")
  const next = gauge("schedule_next_timestamp_seconds", "When the next run begins.")

  return (pipeline: string, watched: () => Watched | undefined): PipelineMeter => {
    const labels = { pipeline }
    const stageMeter = stages(labels)
    /** What has been counted of the run that goes on. */
    let counted: Progress | undefined
    let checkpoint: number | undefined
    let running = false
    let closed = false

    const advance = (progress: Progress | undefined): void => {
      if (!progress) return
      const before = counted
      for (const { counter, count } of totals) counter.add(labels, count(progress) - (before ? count(before) : 0))
      processed.add(labels, progress.items.done - (before?.items.done ?? 0))
      for (const reason of OCCASIONS) {
        flushes.add({ ...labels, reason }, progress.flow.flushes[reason] - (before?.flow.flushes[reason] ?? 0))
      }
      stageMeter.advance(progress.stages, before?.stages)
      counted = progress
    }

    const ended = (ending: Ending | "failed"): void => {
      advance(watched()?.stats())
      counted = undefined
      running = false
      runs.add({ ...labels, ending })
    }

    const onRun = (event: RunEvent): void => {
      if (event.type === "started") {
        // Stages are known from here on; nothing of them has been counted.
        advance(watched()?.stats())
      } else if (event.type === "committed") {
        checkpoint = now()
        commits.add({ ...labels, reason: event.occasion })
        commitSeconds.observe(labels, event.seconds)
        advance(event.progress)
      } else if (event.type === "settled") {
        if (event.status === "failed") failed.add({ ...labels, stage: event.stage })
        if (event.status === "empty") processed.add(labels)
      }
    }

    const succeeded = (at: number): void => success.set(labels, at / 1000)

    // From the start, so that the first of each is seen as an increase.
    for (const { counter } of totals) counter.add(labels, 0)
    processed.add(labels, 0)
    for (const stage of STAGES) failed.add({ ...labels, stage }, 0)
    for (const reason of OCCASIONS) for (const one of [flushes, commits]) one.add({ ...labels, reason }, 0)
    for (const ending of ENDINGS) runs.add({ ...labels, ending }, 0)
    for (const reason of SKIPPED) skipped.add({ ...labels, reason }, 0)

    const stop = metrics.beforeRender(() => {
      const of = watched()
      // A run that has ended can be asked for a moment more.
      const progress = running ? of?.stats() : undefined
      advance(progress)
      active.set(labels, running ? 1 : 0)
      stageMeter.now(progress?.stages)
      for (const { gauge, value } of gauges) gauge.set(labels, progress ? value(progress) : 0)
      if (checkpoint !== undefined) age.set(labels, (now() - checkpoint) / 1000)
      if (of?.next !== undefined) next.set(labels, of.next / 1000)
    })

    return {
      succeeded,
      event: (event) => {
        // A run may outlive its document.
        if (closed) return
        switch (event.type) {
          case "started":
            running = true
            checkpoint = now()
            return
          case "run":
            return onRun(event.event)
          case "finished":
            ended(event.summary.ending)
            runSeconds.observe(labels, event.summary.seconds)
            if (event.summary.ending === "complete") succeeded(now())
            return
          case "failed":
            if (event.due !== undefined) ended("failed")
            return
          case "overlap":
            if (event.policy === "skip") skipped.add({ ...labels, reason: "overlap" })
            return
          case "missed":
            if (!event.caughtUp) skipped.add({ ...labels, reason: "missed" })
            return
        }
      },
      close: () => {
        closed = true
        stop()
        metrics.forget(labels)
      },
    }
  }
}
