/** NaN and infinities in JSON text that DuckDB made: JSON has neither, and `JSON.stringify` makes null of them. */
import { type Column, textColumn, valueAt } from "../model/column.ts"

const TOKENS = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g
const SIGNS = ["NaN", "Infinity"]

/** The column with null in place of numbers that JSON cannot hold. */
export const withJsonNumbers = (column: Column): Column => {
  const { values } = column
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  if (!SIGNS.some((sign) => bytes.includes(sign))) return column
  const texts = Array.from({ length: column.length }, (_, row) => {
    const text = valueAt(column, row)
    return text === null ? null : String(text).replaceAll(TOKENS, (token) => (token.startsWith('"') ? token : "null"))
  })
  return textColumn(texts, column.type)
}
