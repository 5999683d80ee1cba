/** One run on the command line: what is told of it while it goes on, signals, and the summary at the end. */
import type { Plan } from "../engine/plan.ts"
import type { RunEvent, Summary } from "../model/events.ts"
import { escapeJson } from "../observe/escape.ts"
import { type LogFormat, openLog } from "../observe/log.ts"
import { showProgress } from "../observe/progress.ts"
import { logRuns, progressFields, summaryFields } from "../observe/run-log.ts"
import { traceRun } from "../observe/run-trace.ts"
import type { Tracing } from "../observe/tracing.ts"
import { type RunHandle, start } from "../pipeline.ts"
import { print, say } from "./console.ts"
import type { Environment } from "./environment.ts"
import { logFailure, TOO_MANY_FAILURES } from "./failure.ts"
import { drainOnSignals } from "./signals.ts"
import { describeSummary } from "./summary.ts"
import { openTraces } from "./tracing.ts"

/** So many failures are shown as they happen; the others are counted, and stand in the table of items. */
const FAILURES_SHOWN = 5
/** Between two log lines that say how far a run is. */
const PROGRESS_MS = 30_000

/** What commands that run pipelines are told about their output. */
export interface OutputOptions {
  /** The summary as JSON on standard output. */
  readonly json?: boolean
  readonly logFormat: LogFormat
}

/** What somebody is told of one run. */
interface Teller {
  event(event: RunEvent): void
  line(text: string): void
  /** Nothing more is told; without a summary where there is none. */
  end(summary: Summary | undefined): void
}

export const openErrorLog = (format: LogFormat) => openLog(format, (line) => process.stderr.write(`${line}\n`))

const forPeople = (plan: Plan, handle: () => RunHandle | undefined, { json, env }: RunOptions): Teller => {
  let failures = 0
  const { stderr } = process
  const progress = showProgress(() => handle()?.stats(), {
    // Such a terminal has no cursor that can be moved.
    isTTY: stderr.isTTY && env.TERM !== "dumb",
    get columns() {
      return stderr.columns
    },
    get rows() {
      return stderr.rows
    },
    write: (text) => stderr.write(text),
  })
  return {
    event: (event) => {
      switch (event.type) {
        case "settled":
          if (event.status === "failed" && ++failures <= FAILURES_SHOWN) {
            progress.line(`failed: ${event.item}: ${event.message}`)
          }
          return
        case "warning":
          progress.line(`warning: ${event.message}`)
          return
        case "stopping":
          if (event.reason === "too-many-failures") progress.line("too many items failed; stopping")
          return
      }
    },
    line: progress.line,
    end: (summary) => {
      progress.stop()
      const shown = Math.min(failures, FAILURES_SHOWN)
      if (summary && !json) say(describeSummary(summary, { failures, shown, sink: plan.sink.name }))
    },
  }
}

const forPrograms = ({ name }: Plan, handle: () => RunHandle | undefined): Teller => {
  const log = openErrorLog("json")
  const runs = logRuns(log, name)
  let run = ""
  const timer = setInterval(() => {
    const progress = handle()?.stats()
    if (progress) log.info("progress", { pipeline: name, run, ...progressFields(progress) })
  }, PROGRESS_MS)
  return {
    event: (event) => {
      if (event.type === "started") {
        run = event.run
        log.info("run started", { pipeline: name, run, resumed: event.resumedItems })
      } else runs.event(run, event)
    },
    line: (text) => log.info(text, { pipeline: name, run }),
    end: (summary) => {
      clearInterval(timer)
      runs.end(run)
      if (!summary) return
      const level = summary.ending === "too-many-failures" ? "error" : "info"
      log[level](`run ended: ${summary.ending}`, { pipeline: name, ...summaryFields(summary) })
    },
  }
}

const exitCode = (summary: Summary, interrupted: number | undefined): number => {
  if (summary.ending === "too-many-failures") return TOO_MANY_FAILURES
  return interrupted ?? 0
}

interface RunOptions extends OutputOptions {
  readonly env: Environment
}

interface Watching {
  readonly tracing: Tracing | undefined
  /** Is given what tells of the run, while it goes on. */
  readonly onTeller: (teller: Teller | undefined) => void
}

/** Runs a plan to its end and gives the exit code. */
const runPlan = async (plan: Plan, options: RunOptions, { tracing, onTeller }: Watching): Promise<number> => {
  let handle: RunHandle | undefined
  const teller = (options.logFormat === "json" ? forPrograms : forPeople)(plan, () => handle, options)
  onTeller(teller)
  const trace = traceRun(tracing, { pipeline: plan.name, table: plan.sink.table })
  handle = start(plan, {
    onEvent: (event) => {
      teller.event(event)
      trace?.event(event)
    },
  })
  const signals = drainOnSignals(handle, teller.line)
  let summary: Summary | undefined
  try {
    summary = await handle.result
  } catch (error) {
    trace?.failed(error)
    throw error
  } finally {
    onTeller(undefined)
    signals.release()
    teller.end(summary)
  }
  if (options.json) print(escapeJson(JSON.stringify(summary)))
  return exitCode(summary, signals.exitCode())
}

/** Runs plans one after the other; the first that does not get to its end is the last. */
export const runPlans = async (plans: () => Promise<readonly Plan[]>, options: RunOptions): Promise<number> => {
  const log = options.logFormat === "json" ? openErrorLog("json") : undefined
  let teller: Teller | undefined
  let tracing: Tracing | undefined
  const onTeller: Watching["onTeller"] = (next) => {
    teller = next
  }
  const warn = (problem: string): void => {
    if (log) log.warn(problem)
    else (teller?.line ?? say)(`warning: ${problem}`)
  }
  try {
    const all = await plans()
    tracing = await openTraces(options.env, warn)
    for (const plan of all) {
      const code = await runPlan(plan, options, { tracing, onTeller })
      if (code !== 0) return code
    }
    return 0
  } catch (error) {
    if (!log) throw error
    return logFailure(error, log)
  } finally {
    await tracing?.close()
  }
}
