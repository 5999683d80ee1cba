/** Runs over mutants, and what became of each: its rows, or a record that says what is wrong with it. */
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { expect } from "vitest"
import type { Plan } from "../../src/engine/plan.ts"
import type { Value } from "../../src/model/column.ts"
import { messageOf } from "../../src/model/errors.ts"
import type { Summary } from "../../src/model/events.ts"
import type { Format } from "../../src/model/format.ts"
import type { Sink } from "../../src/model/sink.ts"
import { filesPlan, formatPlan, type MediaOptions, type RunSettings, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { files } from "../../src/sources/files.ts"
import { watchMemory } from "../fixtures/peak.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"
import type { Mutant } from "./mutants.ts"

export type Row = Readonly<Record<string, Value>>

export interface Outcome {
  readonly status: "done" | "partial" | "failed" | "empty"
  /** What its record says; of `done`, nothing. */
  readonly message: string
  readonly rows: readonly Row[]
}

export interface Ran {
  readonly summary: Summary
  /** By the item's id; of tables, that of the file that it is a part of. */
  readonly outcomes: ReadonlyMap<string, Outcome>
}

/** Whether figures are printed. */
const PRINTS = process.env.FUZZ_SEEDS !== undefined

const SETTINGS: RunSettings = {
  errors: { max: Number.MAX_SAFE_INTEGER },
  workers: { threads: 2 },
  // So that the time between two of them is about that of an item.
  ...(PRINTS && { commitEvery: 20 }),
}

/** Takes down the longest time between two events. */
const stopwatch = () => {
  let last = performance.now()
  let longest = 0
  return {
    see: (): void => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    },
    seconds: () => (longest / 1000).toFixed(1),
  }
}

const fileOf = (item: Value | undefined): string => String(item).replace(/\/\d+$/, "")

const runInto = async (name: string, planTo: (sink: Sink) => Plan): Promise<Ran> => {
  const database = new MemoryDatabase()
  const watch = stopwatch()
  const peak = watchMemory()
  const plan = planTo(memory({ table: "t", database }))
  const summary = await run(plan, { onEvent: watch.see }).finally(peak)
  const rows = Map.groupBy(rowsOf(database.rows("t")), (row) => fileOf(row._item))
  const outcomes = new Map<string, Outcome>()
  for (const [item, own] of rows) outcomes.set(item, { status: "done", message: "", rows: own })
  for (const { _item, status, error } of rowsOf(database.rows("t__items"))) {
    const item = fileOf(_item)
    // Of an item that was partial and then failed, both are told.
    if (outcomes.get(item)?.status === "failed") continue
    outcomes.set(item, { status: status as Outcome["status"], message: String(error), rows: rows.get(item) ?? [] })
  }
  if (PRINTS && name !== "") {
    const { listed, done, partial, empty, failed } = summary.items
    console.log(
      `${name}: ${listed} items: ${done - partial} done, ${partial} partial, ${empty} empty, ${failed} failed; ` +
        `${summary.seconds.toFixed(1)} s, at most ${watch.seconds()} s from one to the next; peak ${peak()} MiB`,
    )
  }
  return { summary, outcomes }
}

/** Writes files below a folder of their own. */
export const folderOf = async (all: Iterable<Pick<Mutant, "name" | "bytes">>): Promise<string> => {
  const folder = await tempFolder()
  for (const { name, bytes } of all) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), bytes)
  }
  return folder
}

/** All mutants as files of one folder, each read by its medium. */
export const runFiles = async (
  name: string,
  mutants: readonly Mutant[],
  normalize: MediaOptions = {},
): Promise<Ran> => {
  const include = await folderOf(mutants)
  return runInto(name, (sink) => filesPlan({ name, source: files({ include }), sink, normalize }, SETTINGS))
}

/** A dataset that has all mutants in it. */
export const runFormat = (name: string, format: Format, settings: RunSettings = {}): Promise<Ran> =>
  runInto(name, (sink) => formatPlan({ name, format, sink }, { ...SETTINGS, ...settings }))

/** The outcomes under other names. */
export const renamed = ({ summary, outcomes }: Ran, nameOf: (item: string) => string): Ran => ({
  summary,
  outcomes: new Map([...outcomes].map(([item, outcome]) => [nameOf(item), outcome])),
})

/** What mistakes of ours say, and what nobody understands. */
const NONSENSE =
  /undefined|\bNaN\b|\[object |^\s*(null|Error)?\s*$|\n\s+at |Cannot (read prop|set prop|convert|mix|destructure)|is not (a function|iterable|defined|a constructor)|(TypeError|RangeError|ReferenceError|SyntaxError)\b|Invalid (typed array|array|string|count) (length|value)|is out of bounds|outside the bounds|The value of "|Array buffer|call stack|ERR_|The ".*" argument|INTERNAL Error|FATAL Error|database has been invalidated|[Aa]ssertion/

const LONGEST = 2000

/** Why a message is none for people; undefined when it is one. */
const messageProblem = (message: string): string | undefined => {
  if (NONSENSE.test(message)) return "it is a mistake of ours, or nobody understands it"
  return message.length > LONGEST ? `it has ${message.length} characters` : undefined
}

const outcomeProblems = ({ status, message, rows }: Outcome): readonly string[] => {
  const problems: string[] = []
  const odd = status === "done" ? undefined : messageProblem(message)
  if (odd !== undefined) problems.push(`${odd}: ${message}`)
  const has = status === "done" || status === "partial"
  if (has !== rows.length > 0) problems.push(`it is ${status}, and has ${rows.length} rows`)
  if (has && rows.at(-1)?._end !== true) problems.push("its last row is not marked")
  return problems
}

/** What is wrong with how a run ended: every item has rows or a record that people understand, and the sums add up. */
const problemsOf = ({ summary, outcomes }: Ran): readonly string[] => {
  const { listed, done, unchanged, outdated, empty, failed, pending } = summary.items
  const problems = [...outcomes].flatMap(([name, outcome]) =>
    outcomeProblems(outcome).map((problem) => `${name}: ${problem}`),
  )
  if (summary.ending !== "complete") problems.push(`it ended as ${summary.ending}`)
  if (listed !== done + unchanged + outdated + empty + failed || pending !== 0 || listed < outcomes.size) {
    problems.push(
      `its sums do not add up: ${JSON.stringify(summary.items)}, ${outcomes.size} items with rows or records`,
    )
  }
  return problems
}

/** The run is over, each of `mutants` is accounted for once, and nothing else. */
export const checkRun = (ran: Ran, mutants: readonly Mutant[]): void => {
  expect(problemsOf(ran)).toEqual([])
  expect([...ran.outcomes.keys()].sort()).toEqual(mutants.map(({ name }) => name).sort())
  expect(ran.summary.items.listed).toBe(mutants.length)
}

/** Nothing that is cut off passes for whole. */
export const isNotCut = ({ kind }: Mutant): boolean => kind !== "cut"

/** Of `mutants`, those that are done, and should not be. */
export const silentOnes = (
  { outcomes }: Ran,
  mutants: readonly Mutant[],
  isFine: (mutant: Mutant, outcome: Outcome) => boolean = isNotCut,
): readonly string[] =>
  mutants.flatMap((mutant) => {
    const outcome = outcomes.get(mutant.name)
    return outcome?.status === "done" && !isFine(mutant, outcome) ? [mutant.name] : []
  })

/** Of `mutants`, those that are whole, and not done. */
export const lostOnes = ({ outcomes }: Ran, mutants: readonly Mutant[]): readonly string[] =>
  mutants.flatMap(({ name, kind }) => {
    const outcome = outcomes.get(name)
    return kind === "whole" && outcome?.status !== "done" ? [`${name}: ${outcome?.message}`] : []
  })

/**
 * Runs over a dataset once for each mutant of one of its files, at `path`; the others are whole. Such a file is read
 * before there are items: what is wrong with it may also end the run.
 *
 * @returns what is wrong with how the runs ended, and which ones take a mutant for whole that is not.
 */
export const runEach = async (
  name: string,
  mutants: readonly Mutant[],
  path: string,
  format: Format,
  isFine: (mutant: Mutant, ran: Ran) => boolean,
): Promise<readonly string[]> => {
  const problems: string[] = []
  let refused = 0
  const started = performance.now()
  for (const mutant of mutants) {
    const say = (problem: string): unknown => problems.push(`${mutant.name}: ${problem}`)
    await writeFile(path, mutant.bytes)
    const ran = await runFormat("", format, { workers: { threads: 1 } }).catch(messageOf)
    if (typeof ran === "string") {
      refused++
      const odd = messageProblem(ran)
      if (odd !== undefined) say(`${odd}: ${ran}`)
      if (mutant.kind === "whole") say(`it is refused: ${ran}`)
      continue
    }
    for (const problem of problemsOf(ran)) say(problem)
    if (!isFine(mutant, ran)) say(`it passes for whole: ${JSON.stringify(ran.summary.items)}`)
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (PRINTS) console.log(`${name}: ${mutants.length} datasets, ${refused} of them refused; ${seconds} s`)
  return problems
}

/** Lines of a text that are not empty. */
export const linesOf = ({ bytes }: Pick<Mutant, "bytes">): readonly string[] =>
  Buffer.from(bytes)
    .toString()
    .split("\n")
    .filter((line) => line !== "")
