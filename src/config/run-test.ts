/** Runs a test of a document: its pipeline, into memory, and what came out compared with what was expected. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Plan } from "../engine/plan.ts"
import type { Batch } from "../model/batch.ts"
import { messageOf } from "../model/errors.ts"
import type { Summary } from "../model/events.ts"
import { run } from "../pipeline.ts"
import { MemoryDatabase, memory } from "../sinks/memory.ts"
import { differences } from "./differences.ts"
import type { Problem } from "./problems.ts"
import type { PipelineTest } from "./tests.ts"

export interface TestResult {
  readonly name: string
  /** What was not as expected; none when the test holds. */
  readonly problems: readonly Problem[]
  /** Items that failed, and why: where that was not expected, it is the reason for all else. */
  readonly failed: readonly { readonly item: string; readonly message: string }[]
  readonly seconds: number
}

/** So many differences are enough to see what is wrong. */
const MOST = 10

const inFolder = async <T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-test-"))
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const compare = ({ expected, problem }: PipelineTest, { items, rows }: Summary, batch: Batch): Problem[] => {
  const found: Problem[] = []
  if (expected.rows !== undefined && expected.rows !== rows) {
    found.push(problem(["rows"], `expected ${expected.rows}, found ${rows}`))
  }
  for (const [status, count] of Object.entries(expected.items ?? {})) {
    const real = items[status as keyof typeof items]
    if (real !== count) found.push(problem(["items", status], `expected ${count}, found ${real}`))
  }
  if (!expected.expect) return found
  const others = differences(expected.expect, batch).map(({ path, message }) => problem(["expect", ...path], message))
  return [...found, ...others]
}

/** Nothing is written but the test's own files, into a folder that goes with it. */
export const runTest = async (test: PipelineTest): Promise<TestResult> => {
  const started = performance.now()
  const failed: { item: string; message: string }[] = []
  const problems = await inFolder(test.files, async (folder) => {
    const database = new MemoryDatabase()
    const plan: Plan = { ...test.newPlan(folder), sink: memory({ table: "test", database }) }
    try {
      const summary = await run(plan, {
        onEvent: (event) => {
          if (event.type === "settled" && event.status === "failed") {
            failed.push({ item: event.item, message: event.message })
          }
        },
      })
      const found = compare(test, summary, database.rows("test"))
      if (summary.ending === "complete") return found
      return [test.problem([], "the run ended early: too many items failed"), ...found]
    } catch (error) {
      return [test.problem([], `the run failed: ${messageOf(error)}`)]
    }
  })
  return { name: test.name, problems: problems.slice(0, MOST), failed, seconds: (performance.now() - started) / 1000 }
}
