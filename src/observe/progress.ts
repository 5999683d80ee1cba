/**
 * How far a run is, for people: a few lines that are redrawn on a terminal, a plain line every few seconds elsewhere.
 * Nothing of it goes to standard output.
 */
import type { Progress } from "../model/events.ts"
import { escapeText } from "./escape.ts"
import { openPace } from "./pace.ts"
import { describeRun, describeStages } from "./progress-text.ts"
import { columnsOf, openScreen, type ProgressOutput } from "./screen.ts"

export interface ProgressView {
  /** Prints a line that stays, above the progress. What of it came from outside is escaped. */
  line(text: string): void
  /** Takes the progress away and stops the timer. */
  stop(): void
}

type Stats = () => Progress | undefined

const REDRAW_MS = 100
const QUIET_MS = 5000
/** On a narrower terminal there is one line about all of the run. */
const STAGE_COLUMNS = 50

const onTerminal = (stats: Stats, output: ProgressOutput): ProgressView => {
  const screen = openScreen(output)
  const pace = openPace()

  const draw = (): void => {
    const progress = stats()
    if (!progress) return
    const speed = pace(progress)
    const columns = columnsOf(output)
    const run = describeRun(progress, speed, columns)
    // One row is for the cursor of whoever writes next, and some of what was printed before should be seen.
    const room = output.rows === undefined || progress.stages.length + 3 <= output.rows
    const stages = room && columns >= STAGE_COLUMNS ? describeStages(progress, speed, columns) : []
    screen.draw([run, ...stages])
  }

  const timer = setInterval(draw, REDRAW_MS)
  return {
    line: (text) => screen.line(escapeText(text)),
    stop: () => {
      clearInterval(timer)
      screen.clear()
    },
  }
}

const inLines = (stats: Stats, output: ProgressOutput): ProgressView => {
  const pace = openPace()
  let said = ""

  const timer = setInterval(() => {
    const progress = stats()
    if (!progress) return
    const text = describeRun(progress, pace(progress))
    if (text !== said) output.write(`${text}\n`)
    said = text
  }, QUIET_MS)
  return {
    line: (text) => output.write(`${escapeText(text)}\n`),
    stop: () => clearInterval(timer),
  }
}

/** Shows how far a run is until it is stopped. `stats` is asked for it; it may not know yet. */
export const showProgress = (stats: Stats, output: ProgressOutput): ProgressView =>
  output.isTTY === true ? onTerminal(stats, output) : inLines(stats, output)
