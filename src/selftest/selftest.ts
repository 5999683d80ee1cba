/**
 * Kills real runs and looks at what they leave: each source with each mode, into tables of small rows and of large
 * ones. After every few kills a table is brought to its end, which has to be that of a run that nobody disturbed, byte
 * for byte, with nothing temporary left.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { dice } from "../model/dice.ts"
import { CELLS, type Cell, nameOf } from "./cells.ts"
import type { Environment } from "./kill.ts"
import { type CellResult, tryCell } from "./try-cell.ts"

export interface SelftestOptions {
  /** How many runs are killed, over all cells. */
  readonly kills: number
  /** The same seed chooses the same moments, as far as they are told by what a run does. */
  readonly seed: number
  /** Commits the checkpoint apart from the rows, which has to be found. Default: false. */
  readonly mutate?: boolean
  /** Default: all of them. */
  readonly cells?: readonly Cell[]
  /** The environment of the runs. */
  readonly env: Environment
  readonly onCell?: (result: CellResult) => void
}

export interface SelftestResult {
  readonly cells: readonly CellResult[]
  readonly kills: number
  /** Where the tables are that something is wrong with; undefined when nothing is. */
  readonly kept: string | undefined
}

/** Children that run at the same time. */
const AT_ONCE = Math.min(4, availableParallelism())

export const selftest = async (options: SelftestOptions): Promise<SelftestResult> => {
  const { kills, seed, mutate = false } = options
  // A cell without a kill would prove nothing.
  const cells = (options.cells ?? CELLS).slice(0, kills)
  const root = await mkdtemp(join(tmpdir(), "sluice-selftest-"))
  const waiting = [...cells.entries()]
  const results: CellResult[] = []
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, cell] = next
      const result = await tryCell({
        cell,
        root: join(root, nameOf(cell)),
        // What cannot be divided goes to the first ones.
        kills: Math.floor(kills / cells.length) + (index < kills % cells.length ? 1 : 0),
        next: dice(seed, nameOf(cell)),
        mutate,
        env: options.env,
      })
      options.onCell?.(result)
      results[index] = result
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const wrong = results.some(({ problems }) => problems.length > 0)
  if (!wrong) await rm(root, { recursive: true })
  return {
    cells: results,
    kills: results.reduce((sum, result) => sum + result.kills, 0),
    kept: wrong ? root : undefined,
  }
}
