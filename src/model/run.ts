/** What is kept of a run: a row of `_sluice_runs`, with the counts of the run's summary. */
import type { ItemCounts } from "./events.ts"

export interface RunRecord extends ItemCounts {
  readonly run: string
  readonly pipeline: string
  readonly table: string
  /** `append`, `error`, `replace`, ... */
  readonly mode: string
  /** ISO 8601, UTC. */
  readonly started: string
  /** ISO 8601, UTC; null until the run has ended. */
  readonly ended: string | null
  /** How the run ended: `complete`, `interrupted`, ...; null until then. */
  readonly ending: string | null
  /** `_commit` of the first commit of the run. */
  readonly first_commit: number
  /** Versions of the table before the run and after it. */
  readonly first_version: number
  readonly last_version: number
  /** Rows that the run committed. */
  readonly rows: number
}
