/** The versions of a table: what each run has made of it, and what others have. */
import type { RunRecord } from "../../model/run.ts"
import { localPath } from "../../store/database.ts"
import { runsOf } from "../../store/runs.ts"
import { storedVersions, tagsOf } from "../../store/versions.ts"
import { withTable } from "../open.ts"

export interface VersionInfo {
  /** The last version of the run; for one that another program made, its own. */
  readonly version: number
  /** Versions that the run made; 0 of one that changed nothing. */
  readonly versions: number
  /** When it was made, ISO 8601; null where nobody knows any more. */
  readonly made: string | null
  /** The run's id; null for what no run has made: another program, or a `replace` of files by hand. */
  readonly run: string | null
  readonly pipeline: string | null
  /** `append`, `sync`, ..., `restore`. */
  readonly mode: string | null
  /** `complete`, `interrupted`, ...; null while the run goes on, and where it was killed. */
  readonly ending: string | null
  /** Rows that the run committed. */
  readonly rows: number | null
  /** Names of the version, and of others that the run made: `best`, `first@12`. */
  readonly tags: readonly string[]
  /** Whether it can still be read; versions are cleaned up some time after the tenth run that followed. */
  readonly kept: boolean
}

/** Versions that a run made: after `first`, up to `last`. */
interface Span {
  readonly run: RunRecord
  readonly first: number
  readonly last: number
}

/** The runs into the table that is there now, newest first; a table of the same name that was dropped is no part of it. */
const spansOf = (runs: readonly RunRecord[], current: number): Span[] => {
  const spans: Span[] = []
  let next = current
  for (const run of runs) {
    // What a run without an end has made stands before what the next one found.
    const last = run.ended === null ? next : run.last_version
    if (last > next) break
    spans.push({ run, first: run.first_version, last })
    if (run.first_version === 0 && last > 0) break
    next = run.first_version
  }
  return spans
}

const entry = (version: number, tags: ReadonlyMap<string, number>, first: number, kept: boolean) => ({
  version,
  versions: version - first,
  tags: [...tags]
    .filter(([, tagged]) => tagged === version || (tagged > first && tagged <= version))
    .map(([name, tagged]) => (tagged === version ? name : `${name}@${tagged}`))
    .sort(),
  kept,
})

/**
 * The versions of a table, newest first: one entry for each run into it, with the version that it left behind, and one
 * for each version that something else made.
 *
 * @param uri folder of the database.
 * @throws {TableError} when there is no such table.
 * @example
 * ```ts
 * for (const { version, run, tags, kept } of await listVersions("./data", "docs")) {
 *   console.log(version, run, tags.join(), kept ? "" : "cleaned up")
 * }
 * ```
 */
export const listVersions = (uri: string, name: string): Promise<VersionInfo[]> =>
  withTable(uri, name, async ({ db, table }) => {
    const current = await table.version()
    const stored = await storedVersions(localPath(uri), name)
    const there = new Set(stored)
    const tags = await tagsOf(table)
    const spans = spansOf(await runsOf(db, name), current)
    const entries: VersionInfo[] = spans.map(({ run, first, last }) => ({
      ...entry(last, tags, first, there.has(last)),
      made: run.ended ?? run.started,
      run: run.run,
      pipeline: run.pipeline,
      mode: run.mode,
      ending: run.ending,
      rows: run.rows,
    }))
    const others = stored.filter((version) => !spans.some(({ first, last }) => version > first && version <= last))
    // To ask the store when they were made takes milliseconds for each version there is.
    const times = new Map(
      others.length > 0 ? (await table.listVersions()).map(({ version, timestamp }) => [version, timestamp]) : [],
    )
    for (const version of others) {
      const made = times.get(version)?.toISOString() ?? null
      const nobody = { run: null, pipeline: null, mode: null, ending: null, rows: null }
      entries.push({ ...entry(version, tags, version - 1, true), made, ...nobody })
    }
    // Of two runs with the same version, the later one changed nothing and comes first, as it does among the runs.
    return entries.sort((a, b) => b.version - a.version)
  })
