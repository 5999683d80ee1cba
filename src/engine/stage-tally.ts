/** Counts what one stage of a run does. */
import { STAGE_SECONDS, type StageKind, type StageProgress } from "../model/events.ts"

type Count = "rowsIn" | "rowsOut" | "failed" | "retries" | "inFlight"

export interface StageTally extends Record<Count, number> {
  readonly stage: StageKind
  readonly name: string
  /** Asked when somebody wants to know. */
  held: () => number
  /** A call has ended. */
  took(seconds: number): void
  readonly progress: StageProgress
}

const slotOf = (seconds: number): number => {
  const slot = STAGE_SECONDS.findIndex((bound) => seconds <= bound)
  return slot < 0 ? STAGE_SECONDS.length : slot
}

export const tallyStage = (stage: StageKind, name: string = stage): StageTally => {
  const durations = new Array<number>(STAGE_SECONDS.length + 1).fill(0)
  let calls = 0
  let seconds = 0
  const tally: StageTally = {
    stage,
    name,
    rowsIn: 0,
    rowsOut: 0,
    failed: 0,
    retries: 0,
    inFlight: 0,
    held: () => 0,
    took: (one) => {
      calls++
      seconds += one
      const slot = slotOf(one)
      durations[slot] = (durations[slot] ?? 0) + 1
    },
    get progress() {
      const { rowsIn, rowsOut, failed, retries, inFlight } = tally
      const counts = { rowsIn, rowsOut, calls, failed, retries, seconds, inFlight, held: tally.held() }
      return { stage, name, ...counts, durations: [...durations] }
    },
  }
  return tally
}
