/**
 * What a table and its side tables were like at the same moment. There is one writer, so that their versions can be put
 * in one order by their times.
 */
import { TableError } from "../model/errors.ts"
import type { Version } from "../model/sink.ts"
import { type Connection, openExisting, sideNames, sideTable, type Table, tableNames } from "./database.ts"

/** When the version was made; undefined where it is not there any more. */
const timeOf = async (table: Table, version: Version): Promise<number | undefined> =>
  (await table.listVersions()).find((one) => one.version === version)?.timestamp.getTime()

/** The version that the table had at the moment; 0 before its first one. */
const versionAt = async (table: Table, time: number): Promise<Version> => {
  const versions = await table.listVersions()
  const before = versions.filter(({ timestamp }) => timestamp.getTime() <= time).map(({ version }) => version)
  if (before.length > 0) return Math.max(...before)
  if (versions.some(({ version }) => version === 1)) return 0
  throw new TableError(
    `Table ${JSON.stringify(table.name)}: what it was like then was cleaned up, so the version cannot be told whole`,
  )
}

/**
 * For each side table there is now, its version when the table had the given one; 0 where it was not there yet.
 *
 * @param table at its newest version.
 * @throws {TableError} when it cannot be told any more.
 */
export const sidesAt = async (
  db: Connection,
  table: Table,
  version: Version,
): Promise<ReadonlyMap<string, Version>> => {
  const sides = new Map<string, Version>()
  const names = sideNames(await tableNames(db, true), table.name)
  if (names.length === 0) return sides
  const time = await timeOf(table, version)
  if (time === undefined) throw new TableError(`Table ${JSON.stringify(table.name)} has no version ${version} any more`)
  for (const name of names) {
    const side = await openExisting(db, sideTable(table.name, name))
    try {
      sides.set(name, await versionAt(side, time))
    } finally {
      side.close()
    }
  }
  return sides
}
