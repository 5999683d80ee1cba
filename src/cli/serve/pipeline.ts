/** One pipeline of a server: its schedule, as its document comes, changes and goes, and how it fares. */
import { messageOf } from "../../model/errors.ts"
import type { Progress } from "../../model/events.ts"
import type { Log } from "../../observe/log.ts"
import type { PipelineMeter, Watched } from "../../observe/run-metrics.ts"
import { type RunTrace, traceRun } from "../../observe/run-trace.ts"
import type { Tracing } from "../../observe/tracing.ts"
import { parseCron } from "../../schedule/cron.ts"
import type { ScheduleEvent } from "../../schedule/events.ts"
import { type ScheduleHandle, schedule } from "../../schedule/schedule.ts"
import type { Slot } from "../../schedule/slots.ts"
import { checkSink, checkSource } from "../check.ts"
import type { Scheduled } from "./documents.ts"
import { logEvents } from "./events.ts"

export interface PipelineStatus {
  readonly pipeline: string
  readonly file: string
  /** When the next run begins, ISO 8601; null while that is not known. */
  readonly next: string | null
  readonly running: boolean
  /** How the last run ended that this server made; null before. */
  readonly last: string | null
  /** Why the pipeline is not ready; null when it is. */
  readonly problem: string | null
}

export interface ServedPipeline {
  /** Takes another document, or none: a run that goes on comes to its end first. Resolves when that is done. */
  serve(document: Scheduled | undefined): Promise<void>
  /** The document that it was given last. */
  readonly document: Scheduled | undefined
  status(): PipelineStatus
  /** The run that goes on, and how far it is. */
  live(): { readonly run: string; readonly progress: Progress } | undefined
  /** Stops the schedule, and drains its run, or stops it at its last commit. */
  stop(options: { readonly drain: boolean }): Promise<void>
}

interface Options {
  readonly log: Log
  readonly slot: Slot
  readonly watch: (pipeline: string, watched: () => Watched | undefined) => PipelineMeter
  /** When a run of it last came to its end, in milliseconds since 1970. */
  readonly lastSuccess: (document: Scheduled) => Promise<number | undefined>
  /** Where runs are traced. */
  readonly tracing: Tracing | undefined
}

const isSame = (a: Scheduled | undefined, b: Scheduled | undefined): boolean =>
  a?.file === b?.file && JSON.stringify(a?.document) === JSON.stringify(b?.document)

/** Whether source and sink can be had; tried in the background, and again when it is asked for, until they can. */
const openCheck = ({ newPlan }: Scheduled) => {
  // A plan of its own: two listings of one plan at a time would get into each other's way.
  const plan = newPlan()
  let problem: string | undefined = "source and sink are being tried"
  let trying = false
  const attempt = async (): Promise<void> => {
    if (trying || problem === undefined) return
    trying = true
    try {
      await checkSource(plan)
      await checkSink(plan)
      problem = undefined
    } catch (error) {
      problem = messageOf(error)
    } finally {
      trying = false
    }
  }
  attempt()
  return (): string | undefined => {
    const found = problem
    attempt()
    return found
  }
}

interface Current {
  readonly document: Scheduled
  readonly handle: ScheduleHandle
  readonly problem: () => string | undefined
}

export const openPipeline = (name: string, { log, slot, watch, lastSuccess, tracing }: Options): ServedPipeline => {
  let wanted: Scheduled | undefined
  let current: Current | undefined
  let stopped = false
  /** The id of the run that goes on. */
  let running: string | undefined
  let trace: RunTrace | undefined
  let last: string | undefined
  /** Why the last run came to no good end. */
  let failure: string | undefined
  /** Changes come one after the other. */
  let turn = Promise.resolve()
  let meter: PipelineMeter | undefined
  const tell = logEvents(log, name)

  const onEvent = (event: ScheduleEvent): void => {
    meter?.event(event)
    tell(event)
    if (event.type === "started") {
      running = event.run
      trace = traceRun(tracing, { pipeline: name, table: current?.document.plan.sink.table ?? "" })
    }
    if (event.type === "run") trace?.event(event.event)
    if (event.type === "finished") {
      const { ending } = event.summary
      running = undefined
      last = ending
      failure = ending === "too-many-failures" ? "too many items failed" : undefined
    }
    if (event.type === "failed" && event.due !== undefined) {
      running = undefined
      last = "failed"
      trace?.failed(event.error)
      failure = messageOf(event.error)
    }
  }

  const successBefore = async (document: Scheduled): Promise<number | undefined> => {
    try {
      return await lastSuccess(document)
    } catch (error) {
      log.warn(`its runs so far cannot be read: ${messageOf(error)}`, { pipeline: name })
      return undefined
    }
  }

  const change = async (): Promise<void> => {
    if (isSame(wanted, current?.document)) return
    await current?.handle.end()
    current = undefined
    // What went wrong with another document says nothing about this one.
    failure = undefined
    const document = wanted
    if (!document) {
      meter?.close()
      meter = undefined
      return
    }
    const watching = meter ?? watch(name, () => current?.handle)
    meter = watching
    const success = await successBefore(document)
    if (success !== undefined) watching.succeeded(success)
    if (stopped) return
    const handle = schedule(document.plan, document.schedule, { onEvent, slot })
    current = { document, handle, problem: openCheck(document) }
    const times = parseCron(document.schedule.cron, document.schedule.timezone)
    log.info(`scheduled: ${times.cron} in ${times.timezone}`, {
      pipeline: name,
      file: document.file,
      next: new Date(times.next(Date.now())).toISOString(),
    })
  }

  const problem = (): string | null => {
    if (failure !== undefined) return `the last run failed: ${failure}`
    return current ? (current.problem() ?? null) : "its schedule has not begun"
  }

  return {
    serve: (document) => {
      wanted = document
      const changed = turn.then(change)
      turn = changed.catch(() => {})
      return changed
    },
    get document() {
      return wanted
    },
    status: () => ({
      pipeline: name,
      file: (wanted ?? current?.document)?.file ?? "",
      next: current?.handle.next === undefined ? null : new Date(current.handle.next).toISOString(),
      running: running !== undefined,
      last: last ?? null,
      problem: problem(),
    }),
    live: () => {
      const progress = current?.handle.stats()
      return running === undefined || !progress ? undefined : { run: running, progress }
    },
    stop: async (how) => {
      stopped = true
      await current?.handle.stop(how)
      await turn
    },
  }
}
