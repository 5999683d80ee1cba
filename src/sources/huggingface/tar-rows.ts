/**
 * Rows of WebDataset archives (`packaged_modules/webdataset` of `datasets`): neighbouring members whose paths are the
 * same up to the first dot of the name are a row; what follows the dot is the column.
 */

import { builderOf } from "../../hub/builders.ts"
import { type Batch, batchOf } from "../../model/batch.ts"
import { bytesColumn, type Column, textColumn } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { columnOf } from "../../model/infer.ts"
import type { ColumnType } from "../../model/types.ts"
import { formatBytes } from "../../model/units.ts"
import { unpacked } from "../../readers/file.ts"
import { MEDIA, uniqueNames } from "./columns.ts"
import { type Part, type Reading, type Session, withFile } from "./session.ts"

const BATCH = { rows: 256, bytes: 8 << 20 }

const TEXTS = /(^|\.)(txt|text|transcript)$/
const NUMBERS = /(^|\.)(cls|cls2|index|inx|id)$/
const JSONS = /(^|\.)(json|jsn)$/

/** By the last extension of the column, as the decoders of WebDataset go; what they do not know stays bytes. */
const typeOf = (field: string): ColumnType => {
  const name = field.toLowerCase()
  if (TEXTS.test(name)) return { name: "TEXT" }
  if (NUMBERS.test(name)) return { name: "INT64" }
  if (JSONS.test(name)) return { name: "JSON" }
  const kind = builderOf([`x.${name.slice(name.lastIndexOf(".") + 1)}`])
  if (kind === "imagefolder") return MEDIA.Image
  if (kind === "videofolder") return MEDIA.Video
  return { name: "BINARY" }
}

/** The key and the column of a member; undefined for one that belongs to no row. */
const splitMember = (path: string): readonly [key: string, field: string] | undefined => {
  const [, key, field] = /^((?:.*\/|)[^./][^/.]*)[.]([^/]*)$/s.exec(path) ?? []
  return key !== undefined && field !== undefined && field !== "" ? [key, field] : undefined
}

interface Sample {
  readonly key: string
  readonly fields: Map<string, Uint8Array>
}

const decoder = new TextDecoder("utf-8", { fatal: true })

const decoded = (bytes: Uint8Array | undefined, type: ColumnType, where: string): unknown => {
  if (bytes === undefined) return null
  if (!["TEXT", "INT64", "JSON"].includes(type.name)) return bytes
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch (error) {
    throw new IngestError(`${where}: expected UTF-8: ${messageOf(error)}`, { cause: error })
  }
  if (type.name !== "INT64") return text
  if (!/^\s*[-+]?\d+\s*$/.test(text)) {
    throw new IngestError(`${where}: expected a whole number, found ${JSON.stringify(text.slice(0, 40))}`)
  }
  return BigInt(text.trim().replace(/^\+/, ""))
}

const toBatch = (samples: readonly Sample[], archive: string, wanted: readonly string[] | undefined): Batch => {
  const unique = uniqueNames()
  const columns: Record<string, Column> = {}
  const fields = [...new Set(samples.flatMap((sample) => [...sample.fields.keys()]))]
  for (const field of fields) {
    if (wanted && !wanted.includes(field)) continue
    const type = typeOf(field)
    const values = samples.map((sample) => decoded(sample.fields.get(field), type, `${sample.key}.${field}`))
    const column =
      type.name === "TEXT" || type.name === "INT64" || type.name === "JSON"
        ? columnOf(field, values, type)
        : bytesColumn(values as (Uint8Array | null)[], type)
    if (column) columns[unique(field)] = column
  }
  const add = (name: string, texts: readonly string[]): void => {
    if (!wanted || wanted.includes(name)) columns[unique(name)] = textColumn(texts)
  }
  add(
    "__key__",
    samples.map(({ key }) => key),
  )
  add(
    "__url__",
    samples.map(() => archive),
  )
  return batchOf(columns)
}

/** Samples in the order of the archive; no member of more than `maxBytes`. */
async function* samplesOf(path: string, { maxBytes, signal }: Reading): AsyncGenerator<Sample> {
  const { extract } = await import("tar-stream")
  const archive = extract()
  const stream = unpacked(path)
  stream.once("error", (error) => archive.destroy(error))
  stream.pipe(archive)
  let sample: Sample | undefined
  try {
    for await (const entry of archive) {
      signal.throwIfAborted()
      const { name, type, size = 0 } = entry.header
      const member = type === "file" || type === "contiguous-file" ? splitMember(name) : undefined
      if (!member) {
        entry.resume()
        continue
      }
      if (size > maxBytes) {
        throw new IngestError(`${name} has ${formatBytes(size)}; a value may have at most ${formatBytes(maxBytes)}`)
      }
      const [key, field] = member
      if (sample && sample.key !== key) {
        yield sample
        sample = undefined
      }
      sample ??= { key, fields: new Map() }
      const chunks: Uint8Array[] = []
      for await (const chunk of entry) chunks.push(chunk as Uint8Array)
      sample.fields.set(field, Buffer.concat(chunks))
    }
    if (sample) yield sample
  } finally {
    stream.destroy()
  }
}

export async function* tarRows(session: Session, part: Part, reading: Reading): AsyncGenerator<Batch> {
  const { path: archive } = part.file
  yield* withFile(session, part, reading.signal, async function* ({ path }) {
    try {
      let samples: Sample[] = []
      let bytes = 0
      for await (const sample of samplesOf(path, reading)) {
        samples.push(sample)
        for (const field of sample.fields.values()) bytes += field.length
        if (samples.length < BATCH.rows && bytes < BATCH.bytes) continue
        yield toBatch(samples, archive, session.columns)
        samples = []
        bytes = 0
      }
      if (samples.length > 0) yield toBatch(samples, archive, session.columns)
    } catch (error) {
      reading.signal.throwIfAborted()
      throw new IngestError(`${archive}: ${messageOf(error)}`, { cause: error })
    }
  })
}
