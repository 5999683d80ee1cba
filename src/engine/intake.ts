/**
 * Takes what workers send, in the source's order, into the buffer; settles items; starts commits when they are due.
 * Everything that changes state runs uninterrupted and one step at a time.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { IngestError, messageOf } from "../model/errors.ts"
import type { Occasion, RunEvent } from "../model/events.ts"
import type { ItemRecord, Stage } from "../model/item.ts"
import { HIDDEN_SCHEMA, type Span } from "../model/rows.ts"
import type { Version, Writer } from "../model/sink.ts"
import type { Schema } from "../model/types.ts"
import { Buffer, type Group } from "./buffer.ts"
import { openCommitter, RECORDS_AT_ONCE } from "./commit.ts"
import { evolve, freeze, retype, withoutUnknown } from "./contract.ts"
import { attempt } from "./effects.ts"
import { type ItemVersion, type Ledger, missingOf } from "./ledger.ts"
import { type Part, splitItems, splitPart } from "./part.ts"
import type { Plan } from "./plan.ts"
import type { RowsMessage, TaskItem } from "./protocol.ts"
import { openSieve } from "./sieve.ts"
import type { Tally } from "./tally.ts"

type Step<A = void> = Effect.Effect<A, Error, Scope.Scope>

export interface Intake {
  rows(message: RowsMessage): Step
  /** `why` it has no rows, where that is known. */
  empty(item: ItemVersion, why?: string): Step
  partial(item: ItemVersion, message: string): Step
  failed(item: ItemVersion, stage: Stage, message: string): Step
  /** The next rows go on an item of which a cut run left rows in the table. */
  resume(item: TaskItem): Step
  /** Drops what is there of an item that will be done again. */
  restart(item: ItemVersion): Step
  /** Commits what is there: `occasion` is why, where no trigger has come. */
  commit(occasion: Occasion): Step
  /** Drops the item that is not whole, unless a later run can go on in the middle of it. */
  cut(): Step
  /** Waits for the commit in flight. */
  readonly settled: Effect.Effect<void, Error>
  /** Commits whenever a period of the triggers is over; never ends. */
  readonly ticker: Effect.Effect<never, Error, Scope.Scope>
}

interface IntakeOptions {
  readonly plan: Plan
  readonly writer: Writer
  readonly ledger: Ledger
  readonly tally: Tally
  /** The run's id. */
  readonly run: string
  readonly replace: boolean
  readonly emit: (event: RunEvent) => void
  /** Called when more items have failed than the plan allows. */
  readonly overBudget: () => void
}

/** A share of failures means something only when some items were tried. */
const RATIO_FLOOR = 20
const TICK_MS = 20

type Open = Pick<Span, "item" | "version" | "resumable">

const keyOf = ({ item, version }: ItemVersion): string => `${item}\0${version}`

const withoutHidden = (schema: Schema): Schema => new Map([...schema].filter(([name]) => !HIDDEN_SCHEMA.has(name)))

export const openIntake = (options: IntakeOptions): Effect.Effect<Intake> =>
  Effect.gen(function* () {
    const { plan, writer, ledger, tally, run, emit } = options
    const exclusive = (yield* Semaphore.make(1)).withPermits(1)
    const buffer = new Buffer(plan, ledger.lastCommit, (rows, occasion) => tally.countFlush(rows, occasion))
    tally.bytesBuffered = () => buffer.bytes
    let schema: Schema = options.replace ? plan.schema : new Map([...withoutHidden(writer.schema), ...plan.schema])
    // Columns whose type cannot change any more: rows of that type are in the table, or on their way.
    let fixed: Schema = schema
    let records: ItemRecord[] = []
    /** The item whose last row has not come yet. */
    let open: Open | undefined
    /** That item, when some of its rows were handed to a commit. */
    let openCommitted: ItemVersion | undefined
    /** An item that failed here while its worker still sends rows. */
    let refused: string | undefined
    /** Items that are not whole, with what is missing, until their last row is committed. */
    const partials = new Map<string, string>()
    const sieve = openSieve()
    /** Too many items have failed: nothing more is taken. */
    let exceeded = false

    const committed = (version: Version, { spans, bytes, occasion }: Group, seconds: number): void => {
      tally.countCommitted(spans)
      tally.bytesCommitted += bytes
      for (const span of spans) {
        if (!span.end) continue
        tally.count("done")
        if (partials.delete(keyOf(span))) tally.count("partial")
      }
      emit({ type: "committed", version, rows: tally.rowsCommitted, occasion, seconds, progress: tally.progress })
    }
    const committer = openCommitter(writer, ledger, options.replace, { tally: tally.write, committed })
    tally.write.held = () => buffer.rows + committer.rows

    const commit = (occasion: Occasion): Step =>
      Effect.suspend(() => {
        const { number } = buffer
        const group = buffer.take(schema, occasion)
        const written = records
        records = []
        if (group) {
          fixed = schema
          const last = group.spans.at(-1)
          openCommitted = last && !last.end ? last : undefined
        }
        return committer.commit({ number, group, records: written })
      })

    /** Takes back the rows of the open item, wherever they are. Its record, where there is one, is written before. */
    const takeBack = (item: ItemVersion): Step =>
      Effect.suspend(() => {
        sieve.drop()
        if (open && keyOf(open) === keyOf(item)) open = undefined
        buffer.dropOpen(item.item, item.version)
        if (!openCommitted || keyOf(openCommitted) !== keyOf(item)) return Effect.void
        openCommitted = undefined
        const written = records
        records = []
        return Effect.andThen(
          committer.commit({ number: buffer.number, group: undefined, records: written }),
          committer.remove([item]),
        )
      })

    const record = (item: ItemVersion, status: ItemRecord["status"], stage: Stage, message: string): void => {
      const attempts = status === "failed" ? ledger.attempts(item.item) + 1 : 1
      records.push({ ...item, status, stage, error: message, attempts, run })
      emit({ type: "settled", item: item.item, status, stage, message })
    }

    const notWhole = ({ item, version }: ItemVersion, stage: Stage, message: string): void => {
      const key = keyOf({ item, version })
      const before = partials.get(key)
      const all = before === undefined ? message : `${before}; ${message}`
      partials.set(key, all)
      record({ item, version }, "partial", stage, all)
    }

    const commitRecords = (): Step => (records.length >= RECORDS_AT_ONCE ? commit("rows") : Effect.void)

    const fail = (item: ItemVersion, stage: Stage, message: string): Step =>
      Effect.suspend(() => {
        record(item, "failed", stage, message)
        tally.count("failed")
        tally.tried++
        tally.newFailures++
        partials.delete(keyOf(item))
        const { max, maxRatio } = plan.errors
        const ratio = tally.newFailures / tally.tried
        if (tally.newFailures > max || (tally.tried >= RATIO_FLOOR && ratio > maxRatio)) {
          exceeded = true
          options.overBudget()
        }
        return Effect.andThen(takeBack(item), commitRecords())
      })

    const addPiece = (piece: Part): Step =>
      Effect.gen(function* () {
        buffer.add(piece, schema)
        const last = piece.spans.at(-1)
        open = last && !last.end ? last : undefined
        if (!open) openCommitted = undefined
        tally.tried += piece.spans.filter((span) => span.end).length
        if (buffer.commitDue) yield* commit(buffer.commitDue)
      })

    /** Nothing may be added to the table but rows. */
    const closed = (): boolean => plan.contract !== "evolve" && fixed.size > 0

    const addPart = (part: Part): Step =>
      plan.contract === "discard_row" && closed()
        ? Effect.forEach(splitItems(part), sift, { discard: true })
        : admit(part)

    const sift = (part: Part): Step =>
      Effect.gen(function* () {
        const [span] = part.spans
        if (!span) return
        const { parts, discarded, nothingLeft } = sieve.take(part, schema)
        if (nothingLeft) return yield* fail(span, "write", discarded ?? "the item has no rows")
        if (discarded !== undefined) notWhole(span, "write", discarded)
        for (const one of parts) yield* admit(one)
      })

    const admit = (given: Part): Step =>
      Effect.gen(function* () {
        const firstRow = given.spans[0]?.firstRow ?? 0
        const part = closed() ? { ...given, batch: withoutUnknown(given.batch, schema) } : given
        try {
          if (closed()) freeze(schema, part.batch, firstRow)
          schema = evolve(schema, fixed, part.batch, firstRow)
        } catch (error) {
          if (!(error instanceof IngestError)) throw error
          const [only, ...others] = part.spans
          if (!only) return
          if (others.length === 0) {
            refused = only.end ? undefined : keyOf(only)
            yield* fail({ item: only.item, version: only.version }, "write", messageOf(error))
            return
          }
          // One of several items does not fit: try each by itself.
          for (const one of splitItems(part)) yield* admit(one)
          return
        }
        let rest: Part | undefined = part
        while (rest) {
          const room = buffer.room(rest)
          if (room === 0) {
            yield* commit("bytes")
            continue
          }
          const [piece, others]: readonly [Part, Part | undefined] = splitPart(rest, room)
          yield* addPiece(piece)
          rest = others
        }
      })

    const step =
      <Args extends readonly unknown[]>(change: (...args: Args) => Step) =>
      (...args: Args): Step =>
        Effect.uninterruptible(exclusive(Effect.suspend(() => change(...args))))

    /** A step for what workers send; the reader is stopped from outside once there is no more to take. */
    const message =
      <Args extends readonly unknown[]>(change: (...args: Args) => Step) =>
      (...args: Args): Step =>
        Effect.suspend(() => (exceeded ? Effect.never : step(change)(...args)))

    /** A step that is the item's end, unless it has had that here already. */
    const ofItem = <Rest extends readonly unknown[]>(end: (item: ItemVersion, ...rest: Rest) => Step) =>
      message((item: ItemVersion, ...rest: Rest) => {
        if (refused !== keyOf(item)) return end(item, ...rest)
        refused = undefined
        return Effect.void
      })

    return {
      rows: message(({ batch, spans, side }: RowsMessage) => {
        tally.write.rowsIn += batch.rows
        const part: Part = { batch: retype(batch, plan.schema), spans, side }
        const first = spans[0]
        if (refused === undefined || !first) return addPart(part)
        if (keyOf(first) !== refused) {
          refused = undefined
          return addPart(part)
        }
        // The first span is the end of an item that was refused already.
        if (first.end || spans.length > 1) refused = undefined
        const [, ...others] = splitItems(part)
        return Effect.forEach(others, addPart, { discard: true })
      }),
      empty: ofItem((item: ItemVersion, why?: string) =>
        Effect.gen(function* () {
          // It had rows before it changed: they go first, so that it is never taken for empty while they are there.
          if (ledger.had(item.item)) yield* committer.remove([{ item: item.item }])
          const message = partials.get(keyOf(item)) ?? why ?? "the item has no rows"
          record(item, "empty", why === undefined ? "normalize" : "map", message)
          partials.delete(keyOf(item))
          tally.count("empty")
          tally.tried++
          yield* commitRecords()
        }),
      ),
      partial: message((item: ItemVersion, message: string) => {
        if (refused !== keyOf(item)) notWhole(item, "normalize", message)
        return Effect.void
      }),
      failed: ofItem(fail),
      resume: message(({ item, version }: TaskItem) =>
        Effect.gen(function* () {
          open = { item: item.id, version, ...(item.resumable && { resumable: true }) }
          openCommitted = open
          // What is missing of the rows that are there is not found again.
          const missing = yield* attempt(() => missingOf(writer, { item: item.id, version }))
          if (missing) notWhole({ item: item.id, version }, missing.stage, missing.error)
        }),
      ),
      restart: message((item: ItemVersion) => {
        // It will be said again.
        partials.delete(keyOf(item))
        return takeBack(item)
      }),
      commit: step(commit),
      cut: step(() => (open && !open.resumable ? takeBack(open) : Effect.void)),
      settled: committer.settled,
      ticker:
        Math.min(plan.flush.period, plan.commit.period) === Infinity
          ? Effect.never
          : Effect.forever(
              Effect.andThen(
                Effect.sleep(TICK_MS),
                step(() => (buffer.commitDue ? commit("period") : Effect.sync(() => buffer.flushDue(schema))))(),
              ),
            ),
    }
  })
