/** `sluice drop T` */
import { dropTable } from "../../dataset/catalog.ts"
import { ConfigError } from "../../model/errors.ts"
import { say } from "../console.ts"

export const dropCommand = async (
  table: string,
  { uri, yes = false }: { readonly uri: string; readonly yes?: boolean },
): Promise<void> => {
  if (!yes) {
    throw new ConfigError(
      `drop deletes table ${JSON.stringify(table)} in ${uri} for good, with all its versions and side tables: add --yes to do so`,
    )
  }
  await dropTable(uri, table, false)
  say(`dropped ${table}`)
}
