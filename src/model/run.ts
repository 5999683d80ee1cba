/** What is kept of a run. */
import type { ItemCounts } from "./events.ts"

/** A row of `_sluice_runs`: what is known of a run, with the item counts of its summary (0 until it has ended). */
export interface RunRecord extends ItemCounts {
  /** The run's id, a UUID. */
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
  /** Version of the table before the run; 0 when there was none. */
  readonly first_version: number
  /** Version of the table after the run; before it has ended, the same as `first_version`. */
  readonly last_version: number
  /** Rows that the run committed. */
  readonly rows: number
}
