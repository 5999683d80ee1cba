/**
 * A stage before an intake. Rows of several items are put together to calls, calls run at the same time, and what they
 * give is passed on in the order in which the rows came. Everything else that is said of items waits its turn among them.
 */

import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Span } from "../model/rows.ts"
import { attempt } from "./effects.ts"
import { openHoldback } from "./holdback.ts"
import type { Intake } from "./intake.ts"
import type { ItemVersion } from "./ledger.ts"
import { type Part, partBytes, splitItems, splitPart } from "./part.ts"
import type { RowsMessage } from "./protocol.ts"
import { callRows, callsAtOnce, type Outcome, openStageRunner, type StageOptions } from "./run-stage.ts"

type Step<A = void> = Effect.Effect<A, Error, Scope.Scope>

/** Rows do not wait for company longer than this. */
const WAIT_MS = 200
const TICK_MS = 50
/** Bytes of rows that are put together to one call, at most. */
const CALL_BYTES = 32 << 20

const keyOf = ({ item, version }: ItemVersion): string => `${item}\0${version}`

const toMessage = (part: Part): RowsMessage => ({ kind: "rows", ...part, bytes: partBytes(part) })

/** What waits its turn: rows that are at the stage, or something that is to be said of an item. */
type Entry =
  | { readonly kind: "call"; readonly rows: number; readonly outcomes: Promise<Outcome[]> }
  | { readonly kind: "say"; readonly say: Step }

export const openStage = (options: StageOptions, next: Intake): Effect.Effect<Intake, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { stage, tally } = options
    const over = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => over.abort()))
    const run = openStageRunner(options, over.signal)
    const most = callRows(stage)
    const queue = yield* Queue.bounded<Entry>(callsAtOnce(stage))
    const holdback = openHoldback()
    /** The item that has failed here while more of it may come. */
    let refused: string | undefined
    let group: Part[] = []
    let rows = 0
    let bytes = 0
    let since = 0
    /** Rows that are in a call, or wait for their turn after one. */
    let called = 0
    let isCut = false
    tally.held = () => rows + called

    /** Who has something to pass on must not wait for one who has failed. */
    const offer = (entry: Entry): Step =>
      Effect.suspend(() => Effect.asVoid(Effect.raceFirst(Queue.offer(queue, entry), Fiber.join(drainer))))

    const dispatch = (): Step =>
      Effect.suspend(() => {
        if (rows === 0) return Effect.void
        const outcomes = run(group)
        // Somebody asks for it in its turn; until then its failure is no unhandled one.
        outcomes.catch(() => {})
        const entry: Entry = { kind: "call", rows, outcomes }
        called += rows
        group = []
        rows = 0
        bytes = 0
        return offer(entry)
      })

    const add = (part: Part): void => {
      if (rows === 0) since = performance.now()
      group.push(part)
      rows += part.batch.rows
      bytes += partBytes(part)
    }

    const isDue = (): boolean => rows >= most || bytes >= CALL_BYTES

    /** More of an item that has failed here; its end makes an end of it. */
    const isRefused = (span: Span): boolean => {
      if (refused !== keyOf(span)) return false
      if (span.end) refused = undefined
      return true
    }

    const fail = (span: Span, message: string): Step =>
      Effect.suspend(() => {
        if (isRefused(span)) return Effect.void
        if (!span.end) refused = keyOf(span)
        holdback.drop()
        return next.failed(span, "map", message)
      })

    const passOn = (part: Part): Step =>
      Effect.suspend(() => {
        tally.rowsOut += part.batch.rows
        return next.rows(toMessage(part))
      })

    /** Passes on what the stage leaves of one item's rows. */
    const passRest = (part: Part, span: Span, mask: readonly boolean[]): Step =>
      Effect.gen(function* () {
        const { parts, nothingLeft } = holdback.take(part, (row) => mask[row] !== true)
        for (const one of parts) yield* passOn(one)
        if (nothingLeft) yield* next.empty(span, `filter ${JSON.stringify(stage.name)} leaves none of its rows`)
      })

    const pass = (part: Part, mask: readonly boolean[] | undefined): Step =>
      Effect.gen(function* () {
        if (!mask && refused === undefined) return yield* passOn(part)
        let start = 0
        for (const one of splitItems(part)) {
          const [span] = one.spans
          const own = mask?.slice(start, start + one.batch.rows)
          start += one.batch.rows
          if (!span || isRefused(span)) continue
          yield* own ? passRest(one, span, own) : passOn(one)
        }
      })

    const drain: Step<never> = Effect.forever(
      Effect.gen(function* () {
        const entry = yield* Queue.take(queue)
        if (entry.kind === "say") return yield* entry.say
        for (const outcome of yield* attempt(() => entry.outcomes)) {
          yield* outcome.kind === "failed" ? fail(outcome.span, outcome.message) : pass(outcome.part, outcome.mask)
        }
        called -= entry.rows
      }),
    )

    /** Something that is said in its turn, after the rows that came before. */
    const say = (step: Step): Step => Effect.andThen(dispatch(), offer({ kind: "say", say: step }))

    /** The same of an item, unless it has failed here. */
    const sayOf = (item: ItemVersion, ends: boolean, step: () => Step): Step =>
      say(
        Effect.suspend(() => {
          if (refused !== keyOf(item)) return step()
          if (ends) refused = undefined
          return Effect.void
        }),
      )

    /** Waits until everything that came before has been passed on. */
    const flush: Step = Effect.gen(function* () {
      const passed = yield* Deferred.make<void>()
      yield* say(Effect.asVoid(Deferred.succeed(passed, undefined)))
      yield* Effect.raceFirst(Deferred.await(passed), Fiber.join(drainer))
    })

    const drainer = yield* Effect.forkScoped(drain)

    return {
      ...next,
      rows: (message) =>
        Effect.gen(function* () {
          tally.rowsIn += message.batch.rows
          let rest: Part | undefined = { batch: message.batch, spans: message.spans, side: message.side }
          while (rest) {
            const [part, others]: readonly [Part, Part | undefined] = splitPart(rest, most - rows)
            add(part)
            rest = others
            if (isDue()) yield* dispatch()
          }
        }),
      empty: (item, why) => sayOf(item, true, () => next.empty(item, why)),
      partial: (item, message) => sayOf(item, false, () => next.partial(item, message)),
      failed: (item, where, message) =>
        sayOf(item, true, () => {
          holdback.drop()
          return next.failed(item, where, message)
        }),
      resume: (item) => say(next.resume(item)),
      restart: (item) =>
        say(
          Effect.suspend(() => {
            refused = undefined
            holdback.drop()
            return next.restart(item)
          }),
        ),
      commit: (occasion) => (isCut ? next.commit(occasion) : Effect.andThen(flush, next.commit(occasion))),
      cut: () =>
        Effect.gen(function* () {
          isCut = true
          over.abort()
          yield* Fiber.interrupt(drainer)
          group = []
          rows = 0
          called = 0
          yield* next.cut()
        }),
      ticker: Effect.raceFirst(
        next.ticker,
        Effect.raceFirst(
          Fiber.join(drainer),
          Effect.forever(
            Effect.andThen(
              Effect.sleep(TICK_MS),
              Effect.suspend(() => (rows > 0 && performance.now() - since > WAIT_MS ? dispatch() : Effect.void)),
            ),
          ),
        ),
      ),
    }
  })
