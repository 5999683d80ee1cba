/**
 * A sink with a fault that the self-test has to find: it commits the rows that make an item count as done before the
 * item's other rows, and not together with them.
 */
import { crashPoint } from "../engine/crash-point.ts"
import { type Batch, concatBatches, sliceBatch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import type { Sink, Version, Writer } from "../model/sink.ts"

const select = (batch: Batch, ends: boolean): Batch => {
  const end = batch.columns.get("_end")
  const parts: Batch[] = []
  for (let row = 0; row < batch.rows; row++) {
    if ((end && valueAt(end, row)) === ends) parts.push(sliceBatch(batch, row, row + 1))
  }
  return concatBatches(parts)
}

const split = (writer: Writer): Writer => {
  let pending: Batch[] = []
  const store = async (commit: () => Promise<Version>): Promise<Version> => {
    const ends = pending.map((batch) => select(batch, true))
    const others = pending.map((batch) => select(batch, false))
    pending = []
    for (const batch of ends) await writer.write(batch)
    if (ends.some(({ rows }) => rows > 0)) {
      await commit()
      crashPoint("after-commit")
      for (const batch of others) await writer.write(batch)
      return writer.commit()
    }
    for (const batch of others) await writer.write(batch)
    return commit()
  }
  const calls: Partial<Writer> = {
    write: async (batch) => {
      pending.push(batch)
    },
    commit: () => store(() => writer.commit()),
    overwrite: () => store(() => writer.overwrite()),
  }
  // What is not said here is the writer's own.
  return Object.assign(Object.create(writer) as Writer, calls)
}

export const splitSink = (sink: Sink): Sink => ({ ...sink, open: async (how) => split(await sink.open(how)) })
