/** What a database holds, so that two can be compared byte for byte. Read with the store's own interface, not with ours. */
import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import { lancedb } from "../store/database.ts"

/** Rows of every table as text, by the table's name. */
export type Snapshot = Readonly<Record<string, readonly string[]>>

/** What may differ between runs that come to the same end. */
const INCIDENTAL = ["_commit", "_rowid", "run"]

const hash = (value: Uint8Array): string => createHash("sha256").update(value).digest("hex")

/** Every row of the tables whose names begin with `t`; values of bytes as their hashes. */
export const takeSnapshot = async (uri: string): Promise<Snapshot> => {
  const db = await lancedb().connect(uri)
  const tables: Record<string, string[]> = {}
  for (const name of (await db.listTables()).tables.filter((one) => one.startsWith("t"))) {
    const table = await db.openTable(name)
    const rows = await table.query().withRowId().toArray()
    const ids = rows.map((row) => BigInt(row._rowid))
    const contents = new Map<string, (Buffer | null)[]>()
    for (const column of await table.blobColumns()) contents.set(column, await table.fetchBlobs(column, ids))
    tables[name] = rows.map((row, index) => {
      const plain: Record<string, unknown> = {}
      for (const [column, value] of Object.entries(row.toJSON())) {
        if (INCIDENTAL.includes(column)) continue
        const bytes = contents.get(column)?.[index] ?? value
        plain[column] = bytes instanceof Uint8Array ? hash(bytes) : typeof bytes === "bigint" ? String(bytes) : bytes
      }
      return JSON.stringify(plain, Object.keys(plain).sort())
    })
    table.close()
  }
  db.close()
  // Records come in the order of failures; which of them share a commit is chance.
  return { ...tables, t__items: [...(tables.t__items ?? [])].sort() }
}

/** The same with the rows of every table in one order, whichever they were written in. */
export const sorted = (snapshot: Snapshot): Snapshot =>
  Object.fromEntries(Object.entries(snapshot).map(([name, rows]) => [name, [...rows].sort()]))

/** Files that only a killed run leaves. */
export const leftovers = (uri: string): string[] =>
  readdirSync(uri, { recursive: true })
    .map(String)
    .filter((name) => /\.tmp|\.lock/.test(name))

const SHOWN = 160

/** What is wrong with a snapshot, in words; empty when nothing is. */
export const differences = (expected: Snapshot, found: Snapshot): string[] =>
  [...new Set([...Object.keys(expected), ...Object.keys(found)])].flatMap((table) => {
    const left = expected[table] ?? []
    const right = found[table] ?? []
    const at = left.findIndex((row, index) => row !== right[index])
    if (at < 0 && left.length === right.length) return []
    const known = new Set(left)
    const distinct = new Set(right)
    const lost = left.filter((row) => !distinct.has(row)).length
    const repeated = right.length - distinct.size
    const added = [...distinct].filter((row) => !known.has(row)).length
    const first = at < 0 ? left.length : at
    return [
      `${table}: expected ${left.length} rows, found ${right.length} (${lost} lost, ${repeated} repeated, ${added} others); first difference at row ${first}: expected ${left[first]?.slice(0, SHOWN)}, found ${right[first]?.slice(0, SHOWN)}`,
    ]
  })
