/** `sluice versions T` */
import { listVersions } from "../../dataset/versions/index.ts"
import type { Format } from "../arguments.ts"
import { printRows } from "../output.ts"

const COLUMNS = ["version", "made", "mode", "pipeline", "ending", "rows", "tags", "state", "run"]

export const versionsCommand = async (
  table: string,
  { uri, format, limit }: { readonly uri: string; readonly format: Format; readonly limit: number },
): Promise<void> => {
  const versions = (await listVersions(uri, table)).slice(0, limit)
  if (format === "json") {
    return printRows(
      "json",
      [],
      versions.map((version) => ({ ...version })),
    )
  }
  const rows = versions.map((version) => ({
    ...version,
    // A statement in SQL, or another program; a blank would look like something forgotten.
    run: version.run ?? (format === "table" ? "by hand" : ""),
    tags: version.tags.join(" "),
    ending: version.run === null ? "" : (version.ending ?? "not ended"),
    state: version.kept ? "" : "cleaned up",
  }))
  printRows(format, COLUMNS, rows)
}
