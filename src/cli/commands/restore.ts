/** `sluice restore T VERSION` */
import { restoreVersion } from "../../dataset/versions/index.ts"
import { formatCount } from "../../observe/progress-text.ts"
import { say } from "../console.ts"

export const restoreCommand = async (table: string, at: string, { uri }: { readonly uri: string }): Promise<void> => {
  const { from, restored, version, rows } = await restoreVersion(uri, table, at, { onStep: say })
  say(
    `${table} is what it was at version ${restored}, with ${formatCount(rows)} rows, as version ${version}; sluice restore ${table} ${from} takes it back`,
  )
}
