/** A batch: named columns of equal length; the only thing that flows after the normalizer. */
import { isMarkedAsUntransferable } from "node:worker_threads"
import { type Column, columnBytes, nullColumn, type Values } from "./column.ts"
import { IngestError } from "./errors.ts"
import { concatColumns, sliceColumn } from "./splice.ts"
import type { Schema } from "./types.ts"

export interface Batch {
  readonly rows: number
  readonly columns: ReadonlyMap<string, Column>
}

/**
 * A batch of the given columns.
 *
 * @throws {IngestError} when they differ in length.
 * @example
 * ```ts
 * batchOf({ chunk_index: int32Column([0, 1]), text: textColumn(["first", "second"]) })
 * ```
 */
export const batchOf = (columns: Readonly<Record<string, Column>>): Batch => {
  const entries = Object.entries(columns)
  const rows = entries[0]?.[1].length ?? 0
  for (const [name, column] of entries) {
    if (column.length !== rows) {
      throw new IngestError(
        `Columns of one batch must have equal lengths: ${JSON.stringify(entries[0]?.[0])} has ${rows} rows, ${JSON.stringify(name)} has ${column.length}`,
      )
    }
  }
  return { rows, columns: new Map(entries) }
}

/** The columns of a batch, with their types. */
export const schemaOf = (batch: Batch): Schema =>
  new Map([...batch.columns].map(([name, column]) => [name, column.type]))

export const batchBytes = (batch: Batch): number => {
  let bytes = 0
  for (const column of batch.columns.values()) bytes += columnBytes(column)
  return bytes
}

export const sliceBatch = (batch: Batch, start: number, end: number): Batch =>
  start === 0 && end === batch.rows
    ? batch
    : {
        rows: end - start,
        columns: new Map([...batch.columns].map(([name, column]) => [name, sliceColumn(column, start, end)])),
      }

/** The rows of all batches, one after the other; a column that a batch lacks is null there. Types must agree. */
export const concatBatches = (batches: readonly Batch[]): Batch => {
  const [first] = batches
  if (first && batches.length === 1) return first
  const types = new Map<string, Column["type"]>()
  for (const batch of batches) {
    for (const [name, column] of batch.columns) if (!types.has(name)) types.set(name, column.type)
  }
  const columns = new Map<string, Column>()
  for (const [name, type] of types) {
    columns.set(name, concatColumns(batches.map((batch) => batch.columns.get(name) ?? nullColumn(type, batch.rows))))
  }
  return { rows: batches.reduce((rows, batch) => rows + batch.rows, 0), columns }
}

const ownBuffer = <V extends Values>(values: V): V => {
  const { buffer } = values
  // Memory of a native library, such as a picture that sharp made, cannot leave its thread either.
  const own =
    values.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer)
  if (own) return values
  // The `slice` of a Node Buffer does not copy.
  return (values instanceof Uint8Array ? new Uint8Array(values) : values.slice()) as V
}

/**
 * The batch with every array on a buffer of its own, so that it can cross to another thread by transfer. An array
 * that is a view of something larger (Node's shared pool, say) is copied; the others are left where they are.
 */
export const transferable = (batch: Batch): { readonly batch: Batch; readonly buffers: ArrayBuffer[] } => {
  const buffers = new Set<ArrayBuffer>()
  const take = <V extends Values>(values: V): V => {
    const own = ownBuffer(values)
    buffers.add(own.buffer as ArrayBuffer)
    return own
  }
  const columns = new Map<string, Column>()
  for (const [name, column] of batch.columns) {
    columns.set(name, {
      ...column,
      values: take(column.values),
      ...(column.offsets && { offsets: take(column.offsets) }),
      ...(column.valid && { valid: take(column.valid) }),
    })
  }
  return { batch: { rows: batch.rows, columns }, buffers: [...buffers] }
}
