/** One million rows of ten columns that are in memory already. */
import { Client } from "../src/client.ts"
import { type Cells, openBare } from "./bare.ts"
import type { Question } from "./harness.ts"

const ROWS = 1_000_000
const COMMIT = 2000

const makeColumns = (): Record<string, Int32Array | Float64Array | string[]> => {
  const columns: Record<string, Int32Array | Float64Array | string[]> = {}
  for (let i = 0; i < 4; i++) columns[`int_${i}`] = Int32Array.from({ length: ROWS }, (_, row) => row * (i + 1))
  for (let i = 0; i < 5; i++) columns[`float_${i}`] = Float64Array.from({ length: ROWS }, (_, row) => Math.sin(row + i))
  columns.label = Array.from({ length: ROWS }, (_, row) => `label ${row % 1000}`)
  return columns
}

const question: Question = {
  title: "columns: 1 M rows × 10, a commit every 2,000",
  prepare: async () => {},
  variants: {
    sluice: async (_, output) => {
      const data = makeColumns()
      await new Client({ uri: output }).ingest("rows", data)
    },
    bare: async (_, output) => {
      const data = makeColumns()
      const add = await openBare(output)
      for (let start = 0; start < ROWS; start += COMMIT) {
        const cells: Record<string, Cells[string]> = {}
        for (const [name, values] of Object.entries(data)) {
          cells[name] = Array.isArray(values)
            ? values.slice(start, start + COMMIT)
            : values.subarray(start, start + COMMIT)
        }
        await add(cells)
      }
    },
  },
  goals: { bare: 0.8 },
}

export default question
