/** `sluice tables` */
import { listTables } from "../../dataset/catalog.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { printRows } from "../output.ts"

export const tablesCommand = async ({
  uri,
  format,
}: {
  readonly uri: string
  readonly format: Format
}): Promise<void> => {
  const names = await listTables(uri)
  if (names.length === 0 && format === "table") say(`no tables in ${uri}`)
  else
    printRows(
      format,
      ["table"],
      names.map((table) => ({ table })),
    )
}
