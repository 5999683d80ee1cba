/** `sluice test FILE...` */
import { formatProblem } from "../../config/problems.ts"
import { runTest } from "../../config/run-test.ts"
import { ConfigError } from "../../model/errors.ts"
import { escapeText } from "../../observe/escape.ts"
import { print, say } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { printJson } from "../output.ts"

interface TestOptions {
  readonly set?: readonly string[]
  readonly json?: boolean
}

/** Runs the tests of all pipelines, one after the other; gives the exit code. */
export const testCommand = async (
  files: readonly string[],
  options: TestOptions,
  env: Environment,
): Promise<number> => {
  const pipelines = await loadAll(files, options.set ?? [], env)
  if (pipelines.every(({ tests }) => tests.length === 0)) {
    throw new ConfigError(`${files.join(", ")}: expected pipelines with tests, found none; add some under tests`)
  }
  const results = []
  for (const { file, document, tests } of pipelines) {
    for (const test of tests) {
      const { problems, failed, seconds } = await runTest(test)
      const lines = problems.map((problem) => formatProblem(file, problem))
      results.push({
        file,
        pipeline: document.name,
        test: test.name,
        ok: lines.length === 0,
        seconds,
        problems: lines,
        failed,
      })
      if (options.json) continue
      const told = lines.length === 0 ? "ok" : "failed"
      print(escapeText(`${file}: ${document.name}: ${test.name}: ${told} (${seconds.toFixed(2)} s)`))
      for (const line of lines) print(`  ${escapeText(line)}`)
      if (lines.length > 0)
        for (const { item, message } of failed) print(`  ${escapeText(`failed: ${item}: ${message}`)}`)
    }
  }
  const wrong = results.filter(({ ok }) => !ok).length
  if (options.json) printJson({ ok: results.length - wrong, failed: wrong, tests: results })
  say(`${results.length} tests: ${results.length - wrong} ok, ${wrong} failed`)
  return wrong === 0 ? 0 : 1
}
