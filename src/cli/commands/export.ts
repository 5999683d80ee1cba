/** `sluice export T FOLDER --column C` */
import { exportColumn } from "../../dataset/export.ts"
import { formatBytes } from "../../model/units.ts"
import { say } from "../console.ts"

export const exportCommand = async (
  table: string,
  folder: string,
  { uri, column }: { readonly uri: string; readonly column: string },
): Promise<void> => {
  const { files, skipped, bytes } = await exportColumn(uri, table, column, folder)
  const without = skipped === 0 ? "" : `; ${skipped} rows have no value in ${column}`
  say(`exported ${files} files (${formatBytes(bytes)}) to ${folder}${without}`)
}
