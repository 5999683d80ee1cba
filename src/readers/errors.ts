/** What DuckDB says about a file, in the words that a user needs. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { IngestError, messageOf } from "../model/errors.ts"
import type { TableFile } from "./file.ts"

/** DuckDB's messages go on with the query and with its own options, which users of Sluice cannot set. */
const firstPart = (message: string): string =>
  message
    .replace(/^(Invalid Input|Conversion|IO|Binder|Serialization|Invalid) Error: /i, "")
    .split(/\n\s*\n|\nLINE \d+:|\nPossible |\nTry setting/)[0]
    ?.replaceAll("\n", "; ") ?? message

export const tableError = async (
  _connection: DuckDBConnection,
  { path }: TableFile,
  error: unknown,
): Promise<Error> => {
  const message = messageOf(error)
  return new IngestError(`${path}: ${firstPart(message)}`, { cause: error })
}
