/** One run on the command line: progress, the first failures, signals, and the summary at the end. */
import type { Plan } from "../engine/plan.ts"
import type { RunEvent, Summary } from "../model/events.ts"
import { escapeJson } from "../observe/escape.ts"
import { showProgress } from "../observe/progress.ts"
import { type RunHandle, start } from "../pipeline.ts"
import { print, say } from "./console.ts"
import { TOO_MANY_FAILURES } from "./failure.ts"
import { drainOnSignals } from "./signals.ts"
import { describeSummary } from "./summary.ts"

/** So many failures are shown as they happen; the others are counted, and stand in the table of items. */
const FAILURES_SHOWN = 5

const exitCode = (summary: Summary, interrupted: number | undefined): number => {
  if (summary.ending === "too-many-failures") return TOO_MANY_FAILURES
  return interrupted ?? 0
}

/** Runs a plan to its end and gives the exit code. */
export const runPlan = async (plan: Plan, options: { readonly json: boolean }): Promise<number> => {
  let failures = 0
  let handle: RunHandle | undefined
  const progress = showProgress(() => handle?.stats(), process.stderr)
  const onEvent = (event: RunEvent): void => {
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
  }
  handle = start(plan, { onEvent })
  const signals = drainOnSignals(handle, progress.line)
  let summary: Summary
  try {
    summary = await handle.result
  } finally {
    progress.stop()
    signals.release()
  }
  if (options.json) print(escapeJson(JSON.stringify(summary)))
  else {
    const shown = Math.min(failures, FAILURES_SHOWN)
    say(describeSummary(summary, { failures, shown, sink: plan.sink.name }))
  }
  return exitCode(summary, signals.exitCode())
}
