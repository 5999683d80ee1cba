/** Rows of text files of the Hub: one a line, as `datasets` reads them (`packaged_modules/text/text.py`). */
import { type Batch, batchOf } from "../../model/batch.ts"
import { textColumn } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { formatBytes } from "../../model/units.ts"
import { unpacked } from "../../readers/file.ts"
import { type Part, type Reading, type Session, withFile } from "./session.ts"

const BATCH = { rows: 8192, chars: 1 << 20 }

/**
 * Lines of UTF-8, without their ends (`\n`, `\r\n`, `\r`), in batches.
 *
 * @throws {IngestError} for bytes that are no UTF-8, and a line of more than `maxBytes`.
 */
async function* lines(path: string, keepEnds: boolean, maxBytes: number): AsyncGenerator<string[], void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let rest = ""
  let batch: string[] = []
  let chars = 0
  const end = keepEnds ? "\n" : ""
  const cut = function* (text: string, last: boolean): Generator<string[]> {
    // A carriage return at the very end may be the first half of an end of line.
    const held = !last && text.endsWith("\r") ? "\r" : ""
    const parts = (held ? text.slice(0, -1) : text).split(/\r\n|\r|\n/)
    rest = `${parts.pop() ?? ""}${held}`
    for (const line of parts) {
      batch.push(line + end)
      chars += line.length
      if (batch.length < BATCH.rows && chars < BATCH.chars) continue
      yield batch
      batch = []
      chars = 0
    }
  }
  for await (const bytes of unpacked(path)) {
    yield* cut(rest + decoder.decode(bytes as Buffer, { stream: true }), false)
    if (rest.length > maxBytes) throw new IngestError(`a line has more than ${formatBytes(maxBytes)}`)
  }
  yield* cut(rest + decoder.decode(), true)
  if (rest !== "") batch.push(rest)
  if (batch.length > 0) yield batch
}

export async function* textRows(session: Session, part: Part, reading: Reading): AsyncGenerator<Batch> {
  const keepEnds = session.resolved.options.keep_linebreaks === true
  yield* withFile(session, part, reading.signal, async function* ({ path }) {
    try {
      for await (const batch of lines(path, keepEnds, reading.maxBytes)) yield batchOf({ text: textColumn(batch) })
    } catch (error) {
      throw new IngestError(`${part.file.path}: ${messageOf(error)}`, { cause: error })
    }
  })
}
