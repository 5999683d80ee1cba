/** What the single stages of runs do, as metrics. Two stages of one kind and one name are counted as one. */
import { STAGE_SECONDS, type StageKind, type StageProgress } from "../model/events.ts"
import type { Labels, Metrics } from "./metrics.ts"

/** What is tried again at a stage. */
const RETRIED: Readonly<Partial<Record<StageKind, string>>> = {
  list: "request",
  normalize: "worker-lost",
  map: "call-failed",
}

export interface StageMeter {
  /** Adds what stages have done since `before`; in the first figures of a run, that is all of it. */
  advance(stages: readonly StageProgress[], before: readonly StageProgress[] | undefined): void
  /** Sets what holds at this moment; without stages, no run goes on. */
  now(stages: readonly StageProgress[] | undefined): void
}

/** Makes the metrics; gives what counts one pipeline's stages. */
export const stageMetrics = (metrics: Metrics) => {
  const seconds = metrics.histogram(
    "ingest_stage_seconds",
    "Time of a stage's call: a listing, an item that is normalized, a call of a map or a filter, a commit.",
    STAGE_SECONDS,
  )
  const counter = (name: string, help: string) => metrics.counter(`ingest_${name}_total`, help)
  const rowsIn = counter("stage_rows_in", "Rows that came to a stage.")
  const rowsOut = counter("stage_rows_out", "Rows that a stage handed on, or committed.")
  const failures = counter("stage_failures", "Calls of a stage that failed, for good or not.")
  const retries = counter("retries", "Calls of a stage, or requests of a source, that were made again.")
  const inFlight = metrics.gauge("ingest_stage_in_flight", "Calls of a stage that go on; for normalize, busy workers.")
  const held = metrics.gauge("ingest_stage_held", "What is with a stage: items for normalize, rows after it.")

  return (pipeline: Labels): StageMeter => {
    const labelsOf = ({ stage, name }: StageProgress): Labels => ({ ...pipeline, stage, name })
    /** Stages that were seen, by their labels. */
    const known = new Map<string, Labels>()
    return {
      advance: (stages, before) => {
        for (const [at, one] of stages.entries()) {
          const last = before?.[at]
          const labels = labelsOf(one)
          known.set(JSON.stringify([one.stage, one.name]), labels)
          const slots = one.durations.map((count, slot) => count - (last?.durations[slot] ?? 0))
          seconds.add(labels, slots, one.seconds - (last?.seconds ?? 0))
          failures.add(labels, one.failed - (last?.failed ?? 0))
          const reason = RETRIED[one.stage]
          if (reason !== undefined) retries.add({ ...labels, reason }, one.retries - (last?.retries ?? 0))
          if (one.stage !== "list" && one.stage !== "normalize") {
            rowsIn.add(labels, one.rowsIn - (last?.rowsIn ?? 0))
          }
          if (one.stage !== "list") rowsOut.add(labels, one.rowsOut - (last?.rowsOut ?? 0))
        }
      },
      now: (stages = []) => {
        for (const [key, labels] of known) {
          const own = stages.filter(({ stage, name }) => JSON.stringify([stage, name]) === key)
          inFlight.set(
            labels,
            own.reduce((sum, one) => sum + one.inFlight, 0),
          )
          if (labels.stage !== "list") {
            held.set(
              labels,
              own.reduce((sum, one) => sum + one.held, 0),
            )
          }
        }
      },
    }
  }
}
