/** The pipelines of a server, and what it answers about them. */
import { listRuns } from "../../dataset/runs.ts"
import { messageOf } from "../../model/errors.ts"
import type { Progress } from "../../model/events.ts"
import type { RunRecord } from "../../model/run.ts"
import type { Log } from "../../observe/log.ts"
import { createMetrics, METRICS_TYPE } from "../../observe/metrics.ts"
import { runMetrics } from "../../observe/run-metrics.ts"
import type { Tracing } from "../../observe/tracing.ts"
import { slots } from "../../schedule/slots.ts"
import type { Found, Scheduled } from "./documents.ts"
import { json, type Route, text } from "./http.ts"
import { openPipeline, type ServedPipeline } from "./pipeline.ts"

export interface Server {
  /** Brings the schedules in line with the documents. */
  serve(found: Found): void
  /** Says that the documents could not be looked at. */
  unreadable(problem: string): void
  readonly routes: ReadonlyMap<string, Route>
  /** Stops everything, and drains the runs; without `drain`, they stop at their last commit. */
  stop(options: { readonly drain: boolean }): Promise<void>
}

const RUNS_SHOWN = 20
const MAX_RUNS = 1000

/** Its runs are a table of its database; other sinks keep them elsewhere, if at all. */
const hasRuns = ({ plan }: Scheduled): boolean => plan.sink.name === "lance"

/** When a run of the pipeline last came to its end; not known where there is nothing to read it from. */
const lastSuccess = async (document: Scheduled): Promise<number | undefined> => {
  const { name, sink } = document.plan
  const runs = hasRuns(document) ? await listRuns(sink.uri, sink.table) : []
  const last = runs.find(({ pipeline, ending }) => pipeline === name && ending === "complete")
  return last?.ended ? Date.parse(last.ended) : undefined
}

/** A whole number from 1 to the most that is shown; undefined for what is none. */
const readLimit = (given: string | null): number | undefined => {
  if (given === null) return RUNS_SHOWN
  return /^[1-9]\d{0,8}$/.test(given) ? Math.min(Number(given), MAX_RUNS) : undefined
}

/** What is kept of a run has its counts once it has ended; one that goes on here has those of now. */
const withProgress = (run: RunRecord, progress: Progress | undefined) =>
  progress && run.ended === null
    ? { ...run, ...progress.items, rows: progress.rowsCommitted, stages: progress.stages }
    : run

/** @param tracing where runs are traced. */
export const openServer = (log: Log, concurrency: number, tracing?: Tracing): Server => {
  const metrics = createMetrics()
  const reloaded = metrics.gauge("ingest_config_last_reload_successful", "0 while a document is wrong on the disk.")
  const startTime = metrics.gauge("process_start_time_seconds", "When the process started.")
  const memory = metrics.gauge("process_resident_memory_bytes", "Memory of the process, without its children.")
  startTime.set({}, Date.now() / 1000 - process.uptime())
  metrics.beforeRender(() => memory.set({}, process.memoryUsage.rss()))

  const slot = slots(concurrency)
  const watch = runMetrics(metrics)
  const pipelines = new Map<string, ServedPipeline>()
  let stopping = false
  const unscheduled = new Set<string>()
  /** What has been said already. */
  let told: readonly string[] = []

  const tell = (problems: readonly string[]): void => {
    const fresh = problems.filter((problem) => !told.includes(problem))
    for (const line of fresh.flatMap((problem) => problem.split("\n"))) log.error(line)
    if (fresh.length > 0) log.warn("what was loaded before goes on as it was")
    told = problems
    reloaded.set({}, problems.length === 0 ? 1 : 0)
  }

  const change = async (name: string, document: Scheduled | undefined): Promise<void> => {
    const pipeline = pipelines.get(name) ?? openPipeline(name, { log, slot, watch, lastSuccess, tracing })
    pipelines.set(name, pipeline)
    try {
      await pipeline.serve(document)
    } catch (error) {
      log.error(messageOf(error), { pipeline: name })
    }
    if (!pipeline.document) pipelines.delete(name)
  }

  const served = (): readonly ServedPipeline[] => [...pipelines.values()].filter(({ document }) => document)

  const ready: Route = () => {
    const status = served().map((pipeline) => pipeline.status())
    const isReady = !stopping && status.every(({ problem }) => problem === null)
    return json(isReady ? 200 : 503, { ready: isReady, stopping, pipelines: status })
  }

  const runs: Route = async (query) => {
    const limit = readLimit(query.get("limit"))
    if (limit === undefined) return json(400, { error: "limit: expected a whole number of at least 1" })
    const table = query.get("table") ?? undefined
    const sinks = served().flatMap(({ document }) => (document && hasRuns(document) ? [document.plan.sink] : []))
    const databases = new Map(sinks.map((sink) => [sink.folder, sink.uri]))
    const found = await Promise.all(
      [...databases.values()].map(async (uri) => (await listRuns(uri, table)).map((run) => ({ ...run, uri }))),
    )
    const newest = found.flat().sort((a, b) => (a.started < b.started ? 1 : -1))
    const live = new Map(
      served().flatMap((pipeline) => {
        const found = pipeline.live()
        return found ? [[found.run, found.progress] as const] : []
      }),
    )
    return json(
      200,
      newest.slice(0, limit).map((run) => withProgress(run, live.get(run.run))),
    )
  }

  return {
    serve: ({ scheduled, others, problems }) => {
      if (stopping) return
      tell(problems)
      for (const { file, document } of others) {
        const about = `${file} ${document.name}`
        if (!unscheduled.has(about)) log.info("has no schedule: left out", { pipeline: document.name, file })
        unscheduled.add(about)
      }
      const wanted = new Map(scheduled.map((one) => [one.document.name, one]))
      for (const [name, { document }] of pipelines) {
        if (wanted.has(name) || !document) continue
        log.info("its document is gone: no more runs", { pipeline: name, file: document.file })
        change(name, undefined)
      }
      for (const [name, document] of wanted) change(name, document)
      if (wanted.size === 0) log.warn("no document has a schedule: nothing will be run")
    },
    unreadable: (problem) => tell([problem]),
    routes: new Map<string, Route>([
      ["/ping", () => text(200, "pong")],
      ["/ready", ready],
      ["/metrics", () => ({ status: 200, type: METRICS_TYPE, body: metrics.render() })],
      ["/runs", runs],
    ]),
    stop: async (how) => {
      stopping = true
      await Promise.all([...pipelines.values()].map((pipeline) => pipeline.stop(how)))
    },
  }
}
