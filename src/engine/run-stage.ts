/** Runs a stage on a group of rows, of several items where one has fewer. An item that it fails on costs itself only. */
import { type Batch, sliceBatch } from "../model/batch.ts"
import { isFatal, messageOf } from "../model/errors.ts"
import type { RunEvent } from "../model/events.ts"
import type { Span } from "../model/rows.ts"
import type { FilterStage, MapStage, RowStage } from "../model/stage.ts"
import type { SchemaMap } from "../model/types.ts"
import { type CallAbout, openCalls } from "./calls.ts"
import { type Part, splitItems } from "./part.ts"
import { checkMask, mapped, stageBatch } from "./stage-batch.ts"
import type { StageTally } from "./stage-tally.ts"

/** What became of the rows of one item, or of several. */
export type Outcome =
  | { readonly kind: "rows"; readonly part: Part; readonly mask?: readonly boolean[] }
  | { readonly kind: "failed"; readonly span: Span; readonly message: string }

/** Rows of a call of a filter, which costs next to nothing. */
const FILTER_ROWS = 2000
const FILTER = { concurrency: 1, retries: 0, perSecond: Infinity, timeout: 60_000 } as const

/** Rows of a call. */
export const callRows = (stage: RowStage): number => (stage.kind === "map" ? stage.batch : FILTER_ROWS)
export const callsAtOnce = (stage: RowStage): number => (stage.kind === "map" ? stage.concurrency : 1)

/** The parts with each its share of the rows that were made of all of them. */
const shares = (parts: readonly Part[]): readonly (readonly [Part, number])[] => {
  let start = 0
  return parts.map((part) => {
    const at = start
    start += part.batch.rows
    return [part, at] as const
  })
}

const withColumns = (part: Part, added: Batch): Part => ({
  ...part,
  batch: { rows: part.batch.rows, columns: new Map([...part.batch.columns, ...added.columns]) },
})

const aboutOf = (parts: readonly Part[], rows: number): CallAbout => {
  const items = new Set(parts.flatMap(({ spans }) => spans.map(({ item }) => item)))
  const [item = ""] = items
  return { item, items: items.size, rows }
}

type Run = (parts: readonly Part[]) => Promise<Outcome[]>

export interface StageOptions {
  readonly stage: RowStage
  /** Columns that rows may lack, which are null then. */
  readonly known: SchemaMap
  readonly tally: StageTally
  readonly emit: (event: RunEvent) => void
}

const runnerOf = ({ stage, known, tally, emit }: StageOptions, over: AbortSignal): Run => {
  const call = openCalls({ limits: stage.kind === "map" ? stage : FILTER, over, tally, emit })
  const map = async (stage: MapStage, parts: readonly Part[]): Promise<Outcome[]> => {
    const batch = stageBatch(parts, known)
    const given = await call(
      async (signal) => mapped(stage, await stage.map(batch, { signal }), batch.rows),
      aboutOf(parts, batch.rows),
    )
    return shares(parts).map(([part, start]) => ({
      kind: "rows",
      part: withColumns(part, sliceBatch(given, start, start + part.batch.rows)),
    }))
  }
  const filter = async (stage: FilterStage, parts: readonly Part[]): Promise<Outcome[]> => {
    const batch = stageBatch(parts, known)
    const mask = await call(() => stage.keep(batch), aboutOf(parts, batch.rows))
    checkMask(stage, mask, batch.rows)
    return shares(parts).map(([part, start]) => ({
      kind: "rows",
      part,
      mask: Array.from({ length: part.batch.rows }, (_, row) => Boolean(mask[start + row])),
    }))
  }
  return (parts) => (stage.kind === "map" ? map(stage, parts) : filter(stage, parts))
}

/**
 * A function that runs the stage on rows. Where a call fails for good, each of the items in it is tried alone.
 *
 * @param over aborted when nobody waits for the rows any more.
 */
export const openStageRunner = (options: StageOptions, over: AbortSignal): Run => {
  const { stage } = options
  const run = runnerOf(options, over)

  const failedAt = (parts: readonly Part[], error: unknown): Outcome[] =>
    parts
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        kind: "failed",
        span,
        message: `${stage.kind} ${JSON.stringify(stage.name)}: ${messageOf(error)}`,
      }))

  const alone = async (part: Part): Promise<Outcome[]> => {
    try {
      return await run([part])
    } catch (error) {
      if (isFatal(error) || over.aborted) throw error
      return failedAt([part], error)
    }
  }

  return async (parts) => {
    try {
      return await run(parts)
    } catch (error) {
      if (isFatal(error) || over.aborted) throw error
      const items = parts.flatMap(splitItems)
      return items.length === 1 ? failedAt(items, error) : (await Promise.all(items.map(alone))).flat()
    }
  }
}
