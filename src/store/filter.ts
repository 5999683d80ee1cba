/** Row filters and identifiers as the store's SQL expressions. */
import type { RowFilter } from "../model/sink.ts"

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** The store parses identifiers with backquotes; a name cannot contain one. */
export const quoteName = (name: string): string => `\`${name.replaceAll("`", "")}\``

const oneOf = (expression: string, texts: readonly string[]): string =>
  `${expression} IN (${texts.map(quoteText).join(", ")})`

/** A set of values is looked up by hash; a chain of ORs is gone through for every row, and a long one overflows the stack. */
const itemsSql = (items: NonNullable<RowFilter["items"]>): string => {
  const names: string[] = []
  const versions: string[] = []
  for (const { item, version } of items) {
    if (version === undefined) names.push(item)
    else versions.push(`${item}\0${version}`)
  }
  const either: string[] = []
  if (names.length > 0) either.push(oneOf("_item", names))
  if (versions.length > 0) either.push(oneOf("(_item || '\0' || _version)", versions))
  return either.length > 0 ? `(${either.join(" OR ")})` : "false"
}

/** The filter as an expression; undefined when it holds for every row. */
export const toSql = (filter: RowFilter): string | undefined => {
  const terms: string[] = []
  if (filter.end) terms.push("_end = true")
  if (filter.commit !== undefined) terms.push(`_commit = ${filter.commit}`)
  if (filter.after !== undefined) terms.push(`_commit > ${filter.after}`)
  if (filter.before !== undefined) terms.push(`_commit < ${filter.before}`)
  if (filter.except) terms.push(`NOT ${itemsSql(filter.except)}`)
  if (filter.items) terms.push(itemsSql(filter.items))
  return terms.length > 0 ? terms.join(" AND ") : undefined
}
