/** Tables to search in, made by code, and how searches are timed. */
import { createRequire } from "node:module"
import type * as LanceDb from "@lancedb/lancedb"
import { numberColumn, textColumn } from "../src/model/column.ts"
import { dice } from "../src/model/dice.ts"
import { writeTable } from "../test/fixtures/tables.ts"
import { median } from "./harness.ts"

export const lancedb = createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb

export const SEARCH_ROWS = 100_000
const ITEM_ROWS = 10_000
const VOCABULARY = 20_000

const items = Array.from({ length: SEARCH_ROWS / ITEM_ROWS }, (_, at) => at)

/** Words as frequent as those of a language: the n-th about 1/n as often as the first. */
const words = (count: number, next: () => number): string =>
  Array.from({ length: count }, () => `word${Math.floor(VOCABULARY ** next())}`).join(" ")

/** 100,000 texts of about twelve words. */
export const writeTextTable = async (uri: string): Promise<void> => {
  const next = dice(1)
  const texts = () => Array.from({ length: ITEM_ROWS }, () => words(6 + Math.floor(next() * 13), next))
  await writeTable(
    uri,
    "texts",
    items.map((at) => [String(at), { text: textColumn(texts()) }]),
    ["text"],
  )
}

export const VECTOR_SIZE = 384

/** 100,000 vectors of 384 numbers. */
export const writeVectorTable = async (uri: string): Promise<void> => {
  const next = dice(2)
  const vectors = () => Float32Array.from({ length: ITEM_ROWS * VECTOR_SIZE }, () => next() * 2 - 1)
  await writeTable(
    uri,
    "vectors",
    items.map((at) => [String(at), { vector: numberColumn(vectors(), { name: "EMBEDDING", size: VECTOR_SIZE }) }]),
  )
}

export const textQueries = (count: number): string[] => {
  const next = dice(3)
  return Array.from({ length: count }, () => words(2, next))
}

export const vectorQueries = (count: number): Float32Array[] => {
  const next = dice(4)
  return Array.from({ length: count }, () => Float32Array.from({ length: VECTOR_SIZE }, () => next() * 2 - 1))
}

/** Runs the search for each query, and says how long one took; the first one warms up. */
export const timeEach = async <Q>(queries: readonly Q[], find: (query: Q) => Promise<unknown>): Promise<void> => {
  const times: number[] = []
  for (const [at, query] of queries.entries()) {
    const started = performance.now()
    await find(query)
    if (at > 0) times.push(performance.now() - started)
  }
  const slowest = times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN
  console.log(`p50 ${median(times).toFixed(1)} ms, p95 ${slowest.toFixed(1)} ms`)
}
