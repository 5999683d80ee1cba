/** `sluice unlock T` */
import { unlockTable } from "../../dataset/catalog.ts"
import { say } from "../console.ts"

export const unlockCommand = async (table: string, { uri }: { readonly uri: string }): Promise<void> => {
  const holder = await unlockTable(uri, table)
  say(holder === undefined ? `table ${table} in ${uri} is not locked` : `freed table ${table}, held by ${holder}`)
}
