/** What a pipeline promises, in words: docs/guide/guarantees.md has the whole of it, with its proofs. */
import { isItemFormat } from "../model/format.ts"
import { BUILT_IN, type Registry } from "./registry.ts"
import type { PipelineDocument } from "./schema.ts"

const ONCE = "exactly once: each row of each version of an item is in the table once, however often runs are killed"

/** Formats that are one item, and have no name to know it by. */
const isNewEveryTime = ({ format }: PipelineDocument, { formats }: Registry): boolean => {
  if (!format) return false
  const made = formats.find(({ type }) => type === format.type)?.make(format)
  return made !== undefined && !isItemFormat(made) && made.name === undefined
}

const ofMode = ({ sink }: PipelineDocument): readonly string[] => {
  if (sink.mode === "replace") {
    return [
      "mode replace: a run that is cut leaves a part of the new rows; the next one starts over and ends with all of them",
    ]
  }
  if (sink.mode === "error") {
    return [
      "mode error: a run that is cut leaves its table, which the next one refuses; drop it, or go on with mode append",
    ]
  }
  return []
}

const ofSink = ({ sink }: PipelineDocument): string => {
  if (!BUILT_IN.sinks.some(({ type }) => type === sink.type)) {
    return `durability: as far as its sink ${sink.type} keeps what it has committed, all of it or nothing`
  }
  return sink.type === "parquet" || sink.durability === "fsync"
    ? "durability: a commit survives a loss of power"
    : "durability: a commit survives the end of the process, but a loss of power can cost it (durability: fsync)"
}

/** A line for the promise, and one for each thing that makes it less. */
export const guaranteeOf = (document: PipelineDocument, registry: Registry): readonly string[] => {
  if (document.sink.type === "memory") return ["nothing is kept: the rows are gone when the run ends"]
  const format = document.format?.type
  return [
    isNewEveryTime(document, registry)
      ? `new in every run: the format ${format} has no name, so each run adds all of its rows again, a killed one the part that it had committed`
      : ONCE,
    ...ofMode(document),
    ofSink(document),
    ...(document.stages
      ? ["stages are called at least once: again for rows that a killed run had not committed, and when a call fails"]
      : []),
  ]
}
