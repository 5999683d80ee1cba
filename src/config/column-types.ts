/** Columns and their types, as documents name them. */
import * as Schema from "effect/Schema"
import { messageOf } from "../model/errors.ts"
import { checkColumnName } from "../model/rows.ts"
import { parseType } from "../model/types.ts"
import { fieldSchema } from "./fields.ts"

const columnProblem = (name: string, type: string): string | undefined => {
  try {
    checkColumnName(name)
    parseType(type, name)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

export const columnTypes = Schema.Record(
  Schema.String,
  fieldSchema({ type: "text", description: "TEXT, INT64, EMBEDDING(384), ..." }),
).check(
  Schema.makeFilter((columns) =>
    Object.entries(columns).flatMap(([name, type]) => {
      const issue = columnProblem(name, type)
      return issue === undefined ? [] : [{ path: [name], issue }]
    }),
  ),
)
