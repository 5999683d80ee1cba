/** `sluice branch T NAME` */
import { branchTable } from "../../dataset/versions/index.ts"
import { say } from "../console.ts"

export const branchCommand = async (
  table: string,
  name: string,
  { uri, at }: { readonly uri: string; readonly at?: string },
): Promise<void> => {
  const { version, rows } = await branchTable(uri, table, name, at === undefined ? {} : { at })
  say(`${name} begins as version ${version} of ${table}, with ${rows} ${rows === 1 ? "row" : "rows"}`)
}
