/** `sluice tag T NAME` */
import { deleteTag, tagVersion } from "../../dataset/versions/index.ts"
import { ConfigError } from "../../model/errors.ts"
import { say } from "../console.ts"

interface TagOptions {
  readonly uri: string
  readonly at?: string
  readonly move?: boolean
  readonly delete?: boolean
}

export const tagCommand = async (table: string, name: string, options: TagOptions): Promise<void> => {
  const { uri, at, move = false } = options
  if (options.delete) {
    if (at !== undefined || move) throw new ConfigError("--delete stands alone: leave out --at and --move")
    await deleteTag(uri, table, name)
    return say(`${name} is no version of ${table} any more`)
  }
  const version = await tagVersion(uri, table, name, { move, ...(at !== undefined && { at }) })
  say(`${name} is version ${version} of ${table}`)
}
