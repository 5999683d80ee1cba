/** Which rows of its table a view has, by their positions in the version. */
import { type OpenTable, queryWhere } from "../open.ts"
import { checkRows } from "./order.ts"
import type { ViewQuery } from "./view-query.ts"

/** Where no positions are picked: all rows of the table that fulfil the condition, in the order in which they are stored. */
export interface ViewRows {
  readonly length: number
  readonly where?: string
  readonly picks?: Uint32Array
}

type Sought = Pick<ViewQuery, "where" | "orderBy" | "limit" | "offset">

/** Positions of the rows that fulfil the condition, in the order that is asked for. Four bytes a row. */
const positionsOf = async (open: OpenTable, sought: Sought, rows: number): Promise<Uint32Array> => {
  checkRows(rows)
  const query = (await queryWhere(open, sought.where)).select(["_rowoffset"])
  if (sought.orderBy.length > 0) query.orderBy([...sought.orderBy])
  if (sought.limit !== undefined) query.limit(sought.limit)
  if (sought.offset > 0) query.offset(sought.offset)
  let positions = new Uint32Array(Math.min(rows, 1 << 16))
  let found = 0
  for await (const record of query) {
    if (found + record.numRows > positions.length) {
      const larger = new Uint32Array(Math.min(rows, 2 * positions.length))
      larger.set(positions)
      positions = larger
    }
    // A column of 64 bits.
    for (const position of record.getChild("_rowoffset") ?? []) positions[found++] = Number(position)
  }
  return positions.slice(0, found)
}

/** Those of the picked rows that are among the found ones; in the order of the latter, if they are ordered. */
const intersect = (picks: Uint32Array, found: Uint32Array, ordered: boolean, rows: number): Uint32Array => {
  // A row may have been picked several times.
  const times = new Uint32Array(rows)
  if (!ordered) {
    for (const position of found) times[position] = 1
    return picks.filter((position) => times[position] === 1)
  }
  for (const position of picks) times[position] = (times[position] ?? 0) + 1
  const both: number[] = []
  for (const position of found) for (let left = times[position] ?? 0; left > 0; left--) both.push(position)
  return Uint32Array.from(both)
}

const both = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined ? b : b === undefined ? a : `(${a}) AND (${b})`

/** The positions of the view's rows; undefined where they are all of the table. */
export const picksOf = async (open: OpenTable, view: ViewRows, rows: number): Promise<Uint32Array | undefined> => {
  if (view.picks || view.where === undefined) return view.picks
  return positionsOf(open, { where: view.where, orderBy: [], offset: 0 }, rows)
}

/** The rows of the view that the query asks for. `rows` is how many the table has. */
export const narrow = async (open: OpenTable, view: ViewRows, query: Sought, rows: number): Promise<ViewRows> => {
  const { where, orderBy, limit, offset } = query
  const cut = limit !== undefined || offset > 0
  if (!view.picks) {
    const condition = both(view.where, where)
    if (orderBy.length === 0 && !cut) {
      if (condition === undefined) return view
      // Refuses what the store would.
      await queryWhere(open, condition)
      return { length: await open.table.countRows(condition), where: condition }
    }
    const picks = await positionsOf(open, { ...query, ...(condition !== undefined && { where: condition }) }, rows)
    return { length: picks.length, picks }
  }
  let { picks } = view
  if (where !== undefined || orderBy.length > 0) {
    const found = await positionsOf(open, { orderBy, offset: 0, ...(where !== undefined && { where }) }, rows)
    picks = intersect(picks, found, orderBy.length > 0, rows)
  }
  if (cut) picks = picks.slice(offset, limit === undefined ? undefined : offset + limit)
  return { length: picks.length, picks }
}
