/** A run's progress in words: one line about all of it, and one for each stage. */
import type { Progress, StageProgress } from "../model/events.ts"
import { formatBytes } from "../model/units.ts"
import { escapeText } from "./escape.ts"
import { amountsOf, type Pace, settledOf } from "./pace.ts"
import { cut, widthOf } from "./width.ts"

const BAR_WIDTH = 20
/** Names of stages are the user's. */
const NAME_WIDTH = 20

/** `1:05`, `2:03:20`. */
const formatTime = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  const pad = (value: number): string => String(value).padStart(2, "0")
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`
}

export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",")

export const plural = (count: number, word: string): string => `${formatCount(count)} ${word}${count === 1 ? "" : "s"}`

const totalOf = ({ listingComplete, items, total }: Progress): number | undefined =>
  listingComplete ? items.listed : total

const bar = (progress: Progress): string => {
  const total = totalOf(progress)
  if (!total) return ""
  const filled = Math.min(BAR_WIDTH, Math.floor((settledOf(progress) / total) * BAR_WIDTH))
  return `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}] `
}

/** How long it will take, or why that is not known. */
const eta = (progress: Progress, { left }: Pace): string[] => {
  if (totalOf(progress) === undefined) return ["ETA unknown: still listing"]
  if (progress.listingComplete && progress.items.pending === 0) return []
  return [left === undefined ? "ETA unknown" : `ETA ${formatTime(left)}`]
}

/** The whole run on one line; of so many columns, what matters least is left out first. */
export const describeRun = (progress: Progress, pace: Pace, columns?: number): string => {
  const total = totalOf(progress)
  const { listed, failed } = progress.items
  const items = [
    `${formatCount(settledOf(progress))}/${total === undefined ? `${formatCount(listed)}+` : formatCount(total)} items`,
  ]
  const rows = [`${formatCount(progress.rowsCommitted)} rows`]
  const failures = failed > 0 ? [`${formatCount(failed)} failed`] : []
  const speed = pace.bytes === undefined ? [] : [`${formatBytes(Math.round(pace.bytes))}/s`]
  const left = eta(progress, pace)
  const all = [...items, ...rows, ...failures, ...speed, ...left].join(", ")
  if (columns === undefined) return all
  const forms = [
    `${bar(progress)}${all}`,
    all,
    [...items, ...rows, ...failures, ...left].join(", "),
    [...items, ...failures, ...left].join(", "),
    [...items, ...failures].join(", "),
  ]
  return forms.find((text) => text.length < columns) ?? cut(forms.at(-1) ?? "", columns - 1)
}

const formatRate = (rate: number | undefined): string => {
  if (rate === undefined) return ""
  return `${rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate))}/s`
}

/** `0.3 ms`, `45 ms`, `1.2 s`, `75 s`. */
const formatDuration = (seconds: number): string => {
  const [value, unit] = seconds < 1 ? [seconds * 1000, "ms"] : [seconds, "s"]
  return `${value < 10 ? value.toFixed(1) : formatCount(Math.round(value))} ${unit}`
}

/** What there is to know of a stage besides its amount and speed, the most telling first. */
const notes = (of: StageProgress, { listingComplete }: Progress): string[] => {
  const { stage, inFlight, held, failed, retries, calls, seconds } = of
  const found: string[] = []
  if (stage === "list") found.push(listingComplete ? "complete" : "listing")
  else if (held > 0) found.push(`holds ${plural(held, stage === "normalize" ? "item" : "row")}`)
  if (inFlight > 0 && stage === "normalize") found.push(`${plural(inFlight, "worker")} busy`)
  if (inFlight > 0 && (stage === "map" || stage === "filter")) found.push(plural(inFlight, "call"))
  if (inFlight > 0 && stage === "write") found.push("committing")
  if (failed > 0) found.push(`${formatCount(failed)} failed`)
  if (retries > 0) found.push(retries === 1 ? "1 retry" : `${formatCount(retries)} retries`)
  if (calls > 0 && stage !== "list") found.push(`${formatDuration(seconds / calls)} each`)
  return found
}

/** A line for each stage, in columns. */
export const describeStages = (progress: Progress, pace: Pace, columns: number): readonly string[] => {
  const amounts = amountsOf(progress)
  const table = progress.stages.map((one, at) => {
    const unit = one.stage === "list" || one.stage === "normalize" ? "item" : "row"
    return {
      name: cut(escapeText(one.name), NAME_WIDTH),
      amount: plural(amounts[at] ?? 0, unit),
      rate: formatRate(pace.stages[at]),
      notes: notes(one, progress),
    }
  })
  const widest = (key: "name" | "amount" | "rate"): number => Math.max(...table.map((line) => widthOf(line[key])))
  const [names, counts, rates] = [widest("name"), widest("amount"), widest("rate")]
  return table.map(({ name, amount, rate, notes }) => {
    const pad = " ".repeat(names - widthOf(name))
    let line = `  ${name}${pad}  ${amount.padStart(counts)}  ${rate.padStart(rates)}`
    for (const [at, note] of notes.entries()) {
      const more = `${line}${at === 0 ? "  " : ", "}${note}`
      if (widthOf(more) >= columns) break
      line = more
    }
    return line.trimEnd()
  })
}
