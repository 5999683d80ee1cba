/**
 * How far a run is, for people: one line that is redrawn on a terminal, a plain line every few seconds elsewhere.
 * Nothing of it goes to standard output.
 */
import type { Progress } from "../model/events.ts"
import { formatBytes } from "../model/units.ts"
import { escapeText } from "./escape.ts"

/** A terminal, a pipe or a file; standard error is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressView {
  /** Prints a line that stays, above the progress. What of it came from outside is escaped. */
  line(text: string): void
  /** Takes the progress away and stops the timer. */
  stop(): void
}

/** What the progress had come to at a moment, in milliseconds. */
interface Sample {
  readonly time: number
  readonly bytes: number
  readonly settled: number
}

const REDRAW_MS = 100
const QUIET_MS = 5000
/** The speed is that of the last seconds: a few large files say nothing about the many small ones after them. */
const WINDOW_MS = 10_000
const BAR_WIDTH = 20
const DEFAULT_COLUMNS = 80
const CLEAR_LINE = "\r\x1b[K"

const settledOf = ({ items }: Progress): number => items.listed - items.pending

/** `1:05`, `2:03:20`. */
const formatTime = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  const pad = (value: number): string => String(value).padStart(2, "0")
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`
}

export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",")

interface Speed {
  /** Bytes a second, as of late; undefined while there is nothing to say. */
  readonly bytes: number | undefined
  /** Items a second, since the start. */
  readonly items: number | undefined
}

/** The parts of a progress line. The time left is only known once the listing is complete. */
const describe = (progress: Progress, speed: Speed): string => {
  const total = progress.listingComplete ? progress.items.listed : progress.total
  const left = progress.listingComplete ? progress.items.pending : 0
  const parts = [
    `${formatCount(settledOf(progress))}/${total === undefined ? `${formatCount(progress.items.listed)}+` : formatCount(total)} items`,
    `${formatCount(progress.rowsCommitted)} rows`,
  ]
  if (progress.items.failed > 0) parts.push(`${formatCount(progress.items.failed)} failed`)
  if (speed.bytes !== undefined) parts.push(`${formatBytes(Math.round(speed.bytes))}/s`)
  if (left > 0 && speed.items) parts.push(`ETA ${formatTime(left / speed.items)}`)
  return parts.join(", ")
}

const bar = (progress: Progress): string => {
  const total = progress.listingComplete ? progress.items.listed : progress.total
  if (!total) return ""
  const filled = Math.min(BAR_WIDTH, Math.floor((settledOf(progress) / total) * BAR_WIDTH))
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] `
}

/** Shows how far a run is until it is stopped. `stats` is asked for it; it may not know yet. */
export const showProgress = (stats: () => Progress | undefined, output: ProgressOutput): ProgressView => {
  const isTerminal = output.isTTY === true
  const samples: Sample[] = []
  let first: Sample | undefined
  let shown = ""

  const measure = (progress: Progress): Speed => {
    const now: Sample = { time: performance.now(), bytes: progress.bytes, settled: settledOf(progress) }
    first ??= now
    samples.push(now)
    while (samples.length > 2 && now.time - (samples[0]?.time ?? 0) > WINDOW_MS) samples.shift()
    const oldest = samples[0] ?? now
    const recent = (now.time - oldest.time) / 1000
    const whole = (now.time - first.time) / 1000
    return {
      bytes: recent > 0 && now.bytes > 0 ? (now.bytes - oldest.bytes) / recent : undefined,
      items: whole > 0 ? (now.settled - first.settled) / whole : undefined,
    }
  }

  const draw = (): void => {
    const progress = stats()
    if (!progress) return
    const text = describe(progress, measure(progress))
    if (isTerminal) {
      shown = `${bar(progress)}${text}`.slice(0, (output.columns || DEFAULT_COLUMNS) - 1)
      output.write(`${CLEAR_LINE}${shown}`)
    } else if (text !== shown) {
      shown = text
      output.write(`${text}\n`)
    }
  }

  const timer = setInterval(draw, isTerminal ? REDRAW_MS : QUIET_MS)
  return {
    line: (text) => output.write(isTerminal ? `${CLEAR_LINE}${escapeText(text)}\n${shown}` : `${escapeText(text)}\n`),
    stop: () => {
      clearInterval(timer)
      if (isTerminal && shown !== "") output.write(CLEAR_LINE)
    },
  }
}
