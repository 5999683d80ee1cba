/** A map that runs where the rows are made, in the workers: for what keeps a processor busy. */

import type { Batch } from "../model/batch.ts"
import { IngestError, isFatal, messageOf } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import type { Columns } from "../model/format.ts"
import type { Plain } from "../model/item.ts"
import { loadCode } from "../model/load-code.ts"
import type { Code, Normalize } from "../model/normalizer.ts"
import type { StageBatch, StageContext } from "../model/stage.ts"
import { formatType, parseType, type Schema, type SchemaMap } from "../model/types.ts"
import { mapped, stageBatch } from "./stage-batch.ts"

/** A function that a worker loads by itself, by the URL of its module and the name of its export. */
export interface WorkerMap {
  readonly name: string
  readonly columns: Schema
  readonly module: string
  readonly export: string
}

type MapFunction = (batch: StageBatch, context: StageContext) => Columns | Promise<Columns>

const functions = new Map<string, Promise<MapFunction>>()

const load = (module: string, name: string): Promise<MapFunction> => {
  const key = `${module}#${name}`
  const known = functions.get(key)
  if (known) return known
  const loading = import(module).then((loaded: Record<string, unknown>) => {
    const found = loaded[name]
    if (typeof found !== "function") throw new Error(`${module} exports no function ${JSON.stringify(name)}`)
    return found as MapFunction
  })
  functions.set(key, loading)
  return loading
}

const mapping = (inner: Code, { name, columns, module, export: exported }: WorkerMap, known: SchemaMap): Normalize =>
  async function* (item, options, context) {
    const [normalize, map] = await Promise.all([loadCode(inner), load(module, exported)])

    const withMapped = async (batch: Batch, id: string): Promise<Batch> => {
      const span = { item: id, version: "", firstRow: 0, rows: batch.rows, end: false, medium: "" }
      try {
        const given = await map(stageBatch([{ batch, spans: [span], side: {} }], known), { signal: context.signal })
        const added = mapped({ name, columns }, given, batch.rows)
        return { rows: batch.rows, columns: new Map([...batch.columns, ...added.columns]) }
      } catch (error) {
        if (isFatal(error)) throw error
        throw new IngestError(`map ${JSON.stringify(name)}: ${messageOf(error)}`, { cause: error })
      }
    }

    for await (const rows of normalize(item, { ...inner.options, lane: options.lane ?? null }, context)) {
      yield { ...rows, batch: await withMapped(rows.batch, item.id) }
    }
  }

interface Options {
  readonly code: Code
  readonly map: Omit<WorkerMap, "columns"> & { readonly columns: readonly (readonly [string, string])[] }
  readonly known: SchemaMap
}

/** What workers load. */
export const normalizeMapped: Normalize = (item, { lane = null, ...rest }, context) => {
  const { code, map, known } = rest as unknown as Options
  const columns: Schema = new Map(map.columns.map(([name, type]) => [name, parseType(type, name)]))
  return mapping(code, { ...map, columns }, known)(item, { lane }, context)
}

/** The feed with the map after its normalizer. Calls get the rows of one item, as they come. */
export const withWorkerMap = (feed: Feed, map: WorkerMap): Feed => {
  const { code, columnTypes: known = {} } = feed
  if ("normalize" in code) return { ...feed, code: { ...code, normalize: mapping(code, map, known) } }
  const columns = [...map.columns].map(([name, type]) => [name, formatType(type)])
  const inner = { module: code.module, name: code.name, options: code.options }
  const options = { code: inner, map: { ...map, columns }, known }
  return {
    ...feed,
    code: {
      module: import.meta.url,
      name: "normalizeMapped",
      options: options as unknown as Readonly<Record<string, Plain>>,
    },
  }
}
