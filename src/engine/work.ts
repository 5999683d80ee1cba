/**
 * What a worker does with a task, wherever it runs: normalizes item after item and yields messages in order.
 *
 * Rows of small items are put together before they cross to the main thread: a message costs as much for one row as for
 * a thousand.
 */
import { type Batch, batchBytes, batchOf, concatBatches, sliceBatch } from "../model/batch.ts"
import { type Column, numberColumn, repeatedText } from "../model/column.ts"
import { IngestError, isFatal, messageOf } from "../model/errors.ts"
import { SLOW_SECONDS } from "../model/events.ts"
import { loadCode } from "../model/load-code.ts"
import { type NormalizeContext, type Rows, WrongLane } from "../model/normalizer.ts"
import type { Span } from "../model/rows.ts"
import { formatType } from "../model/types.ts"
import type { Message, RowsMessage, Task, TaskItem } from "./protocol.ts"

/** Rows are sent on when so many bytes, rows or milliseconds of them have come together. */
const GATHER_BYTES = 256 << 10
const GATHER_ROWS = 2000
const GATHER_MS = 100
/** Rows of this size go alone: putting them together would cost a copy of their bytes, and a message is cheap for them. */
const ALONE_BYTES = 64 << 10

interface Part {
  readonly index: number
  readonly rows: Rows
  readonly span: Span
  /** Of the whole item, with its last rows. */
  readonly seconds?: number
}

/** Side rows with the item and row that they belong to. */
const sideOf = (part: Part, batch: Batch): Batch => {
  const rows = batch.columns.get("_row")
  const absolute = Int32Array.from({ length: batch.rows }, (_, i) => Number(rows?.values[i] ?? 0) + part.span.firstRow)
  return batchOf({
    _item: repeatedText(part.span.item, batch.rows),
    _version: repeatedText(part.span.version, batch.rows),
    ...Object.fromEntries(batch.columns),
    _row: numberColumn(absolute, { name: "INT32" }),
  })
}

/** The rows without the first `count`. */
const rowsFrom = ({ batch, side = {}, ...rest }: Rows, count: number): Rows => {
  const start = Math.min(count, batch.rows)
  const later = (rows: Batch): Batch => {
    const belongs = (rows.columns.get("_row")?.values ?? new Int32Array()) as Int32Array
    let first = 0
    while (first < rows.rows && (belongs[first] ?? 0) < start) first++
    const cut = sliceBatch(rows, first, rows.rows)
    const shifted = Int32Array.from(belongs.subarray(first), (row) => row - start)
    return { rows: cut.rows, columns: new Map([...cut.columns, ["_row", numberColumn(shifted, { name: "INT32" })]]) }
  }
  return {
    ...rest,
    batch: sliceBatch(batch, start, batch.rows),
    side: Object.fromEntries(Object.entries(side).map(([name, rows]) => [name, later(rows)])),
  }
}

const shapeOf = (rows: Rows): string => {
  const columns = [...rows.batch.columns].map(
    ([name, { type }]: [string, Column]) => `${name} ${formatType(type)} ${type.names?.join("\0") ?? ""}`,
  )
  return `${rows.medium}|${columns.join("|")}`
}

/** Neighbouring spans of one item as one. */
const joinSpans = (spans: readonly Span[]): Span[] => {
  const joined: Span[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    if (last && !last.end && last.item === span.item && last.version === span.version) {
      joined[joined.length - 1] = { ...last, rows: last.rows + span.rows, end: span.end }
    } else {
      joined.push(span)
    }
  }
  return joined
}

const gather = (parts: readonly Part[]): RowsMessage => {
  const batch = concatBatches(parts.map((part) => part.rows.batch))
  const side: Record<string, Batch> = {}
  for (const name of new Set(parts.flatMap((part) => Object.keys(part.rows.side ?? {})))) {
    side[name] = concatBatches(
      parts.flatMap((part) => {
        const rows = part.rows.side?.[name]
        return rows && rows.rows > 0 ? [sideOf(part, rows)] : []
      }),
    )
  }
  const bytes = Object.values(side).reduce((sum, one) => sum + batchBytes(one), batchBytes(batch))
  const spans = joinSpans(parts.map((part) => part.span))
  const seconds = parts.flatMap((part) => part.seconds ?? [])
  return { kind: "rows", batch, spans, side, bytes, seconds }
}

/** The time that a normalizer takes for one item, without that in which its rows are waited with. */
const stopwatch = () => {
  let milliseconds = 0
  let since = performance.now()
  return {
    /** In milliseconds since 1970. */
    begun: Date.now(),
    /** That the normalizer gave. */
    rows: 0,
    pause: (): void => {
      milliseconds += performance.now() - since
    },
    resume: (): void => {
      since = performance.now()
    },
    get seconds() {
      return milliseconds / 1000
    },
  }
}
type Stopwatch = ReturnType<typeof stopwatch>

/** The messages of a task. `beat` is called when a normalizer reports progress. */
export async function* work(task: Task, signal: AbortSignal, beat: () => void): AsyncGenerator<Message> {
  const normalize = await loadCode(task.code)
  let parts: Part[] = []
  let bytes = 0
  let rows = 0
  let since = 0
  let shape = ""

  const take = (): Message[] => {
    const message = parts.length > 0 ? [gather(parts)] : []
    parts = []
    bytes = 0
    rows = 0
    return message
  }

  /** Adds rows; gives the messages that are full because of them. */
  const add = (part: Part): Message[] => {
    const next = shapeOf(part.rows)
    const size = batchBytes(part.rows.batch)
    const full = next !== shape || size >= ALONE_BYTES ? take() : []
    if (parts.length === 0) since = performance.now()
    shape = next
    parts.push(part)
    bytes += size
    rows += part.rows.batch.rows
    if (size >= ALONE_BYTES) return [...full, ...take()]
    if (bytes < GATHER_BYTES && rows < GATHER_ROWS && performance.now() - since < GATHER_MS) return full
    return [...full, ...take()]
  }

  async function* one(index: number, { item, version, skip }: TaskItem, watch: Stopwatch): AsyncGenerator<Message> {
    const gaps: string[] = []
    const context: NormalizeContext = {
      lane: task.lane,
      signal,
      tempDir: task.tempDir,
      maxBytes: task.maxBytes,
      skip,
      progress: beat,
      partial: (message) => gaps.push(message),
    }
    /** What is missing is told no later than the rows around it: wherever a run is cut, it is known. */
    const tell = function* (): Generator<Message> {
      if (gaps.length === 0) return
      yield* take()
      yield { kind: "partial", index, message: gaps.splice(0).join("; ") }
    }
    // The last rows are marked as such, so they are held back until it is known that no others follow.
    let held: Part | undefined
    let firstRow = 0
    for await (const made of normalize(item, { ...task.code.options, lane: task.lane }, context)) {
      watch.pause()
      watch.rows += made.batch.rows
      const rows = firstRow < skip ? rowsFrom(made, skip - firstRow) : made
      firstRow += made.batch.rows
      yield* tell()
      if (rows.batch.rows === 0) {
        watch.resume()
        continue
      }
      if (held) yield* add(held)
      const span = {
        item: item.id,
        version,
        firstRow: firstRow - rows.batch.rows,
        rows: rows.batch.rows,
        end: false,
        medium: rows.medium ?? "",
        ...(item.resumable && { resumable: true as const }),
      }
      held = { index, rows, span }
      watch.resume()
    }
    watch.pause()
    const { seconds } = watch
    if (!held && skip > 0) {
      throw new IngestError(
        `Expected more than the ${skip} rows that are in the table since a run was cut, found ${firstRow}: the item says that it is resumable, but did not give the same rows again. Its rows are removed; run again to begin anew`,
      )
    }
    yield* tell()
    if (!held) {
      yield* take()
      yield { kind: "empty", index, seconds }
      return
    }
    yield* add({ ...held, span: { ...held.span, end: true }, seconds })
  }

  for (const [index, item] of task.items.entries()) {
    if (signal.aborted) return
    yield { kind: "begin", index }
    const watch = stopwatch()
    try {
      yield* one(index, item, watch)
    } catch (error) {
      watch.pause()
      parts = parts.filter((part) => part.index !== index)
      yield* take()
      yield error instanceof WrongLane
        ? { kind: "lane", index, lane: error.lane }
        : {
            kind: "failed",
            index,
            stage: "normalize",
            message: messageOf(error),
            fatal: isFatal(error),
            seconds: watch.seconds,
          }
    }
    const { rows, begun, seconds } = watch
    if (seconds >= SLOW_SECONDS) yield { kind: "slow", index, rows, begun, seconds }
  }
  yield* take()
}
