/** `sluice selftest` */
import { nameOf } from "../../selftest/cells.ts"
import { selftest } from "../../selftest/selftest.ts"
import { print, say } from "../console.ts"
import type { Environment } from "../environment.ts"
import { formatTable } from "../output.ts"

/** Gives the exit code: 1 when something was lost, repeated or left behind, or when a fault on purpose was not found. */
export const selftestCommand = async (
  options: { readonly kills: number; readonly seed: number; readonly mutate?: boolean },
  env: Environment,
): Promise<number> => {
  say(`Killing ${options.kills} runs; seed ${options.seed}`)
  const { cells, kills, kept } = await selftest({
    ...options,
    env,
    onCell: ({ cell, problems }) => say(`${nameOf(cell)}: ${problems.length === 0 ? "ok" : problems.join("\n  ")}`),
  })
  const rows = cells.map(({ cell, problems, ...counts }) => ({
    ...cell,
    table: cell.rows,
    ...counts,
    result: problems.length === 0 ? "ok" : "WRONG",
  }))
  print(formatTable(["source", "mode", "table", "rows", "kills", "late", "rounds", "result"], rows))
  if (options.mutate) {
    say(
      kept === undefined ? "The fault was not found; try more kills" : `The fault was found; the tables are in ${kept}`,
    )
    return kept === undefined ? 1 : 0
  }
  say(
    kept === undefined
      ? `${kills} runs were killed: nothing was lost, nothing is there twice`
      : `Something is wrong; the tables are in ${kept}`,
  )
  return kept === undefined ? 0 : 1
}
