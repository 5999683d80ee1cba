/** `sluice push T OWNER/NAME` */
import { pushTable } from "../../dataset/push.ts"
import { formatBytes } from "../../model/units.ts"
import { formatCount } from "../../observe/progress-text.ts"
import { print, say } from "../console.ts"
import type { Environment } from "../environment.ts"

interface PushCommandOptions {
  readonly uri: string
  readonly split: string
  readonly private?: boolean
  readonly hubUrl?: string
  readonly at?: string
}

export const pushCommand = async (
  table: string,
  repo: string,
  { uri, split, private: isPrivate = false, hubUrl, at }: PushCommandOptions,
  env: Environment,
): Promise<void> => {
  const { rows, bytes, files, url } = await pushTable(uri, table, repo, {
    split,
    private: isPrivate,
    ...(env.HF_TOKEN && { token: env.HF_TOKEN }),
    ...(hubUrl !== undefined && { hubUrl }),
    ...(at !== undefined && { at }),
    onStep: (step) => say(`${step} ...`),
  })
  const shards = `${formatCount(files)} ${files === 1 ? "file" : "files"}`
  say(`pushed ${formatCount(rows)} rows (${formatBytes(bytes)}, ${shards}) to`)
  print(url)
}
