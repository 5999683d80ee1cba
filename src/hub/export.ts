/**
 * The Parquet files that the Hub makes of datasets by itself, on their branch `refs/convert/parquet`: the way to read
 * those that are made by a script, or of files that are not read here. They are taken only when they are the whole
 * dataset at the very commit; exports of large datasets are cut off.
 */
import { AuthError, IngestError, messageOf } from "../model/errors.ts"
import type { Hub, Revision } from "./client.ts"
import { chooseConfig, type Resolved } from "./resolve.ts"
import { listTree, pinRevision } from "./tree.ts"

const BRANCH = "refs/convert/parquet"

interface ExportFile {
  readonly config: string
  readonly split: string
  readonly url: string
}

type Dict = Readonly<Record<string, unknown>>

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null

const isExportFile = (value: unknown): value is ExportFile =>
  isDict(value) && ["config", "split", "url"].every((key) => typeof value[key] === "string")

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0

export interface Exported {
  /** The commit of the branch that has the files. */
  readonly at: Revision
  readonly resolved: Resolved
}

/** The path of an export's file in the repository. */
const pathOf = (url: string): string => {
  const [, path] = /\/resolve\/refs%2Fconvert%2Fparquet\/(.+)$/.exec(URL.parse(url)?.pathname ?? "") ?? []
  return path === undefined ? "" : decodeURIComponent(path)
}

/**
 * The dataset as exported; a reason when there is no export that is all of it.
 *
 * @throws {ConfigError} for a configuration that it has not, or that has to be chosen.
 */
export const findExport = async (
  hub: Hub,
  at: Revision,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<Exported | { readonly reason: string }> => {
  if (hub.datasetsServerUrl === undefined) return { reason: "the address of a server of exports is not known" }
  const url = `${hub.datasetsServerUrl}/parquet?dataset=${encodeURIComponent(at.repo)}`
  const { accessToken } = hub.credentials
  const headers = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }
  let response: Response
  try {
    response = await hub.fetch({ repo: at.repo }, signal)(url, { headers })
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AuthError) throw error
    // There is none, or it is being made: either way it is no way to read the dataset now.
    return { reason: `its export cannot be had: ${messageOf(error)}` }
  }
  const body: unknown = await response.json()
  const files = isDict(body) && Array.isArray(body.parquet_files) ? body.parquet_files.filter(isExportFile) : []
  if (!isDict(body) || files.length === 0) return { reason: "it has no export" }
  if (response.headers.get("x-revision") !== at.sha) return { reason: "its export is of another commit" }
  if (body.partial !== false || !isEmpty(body.pending) || !isEmpty(body.failed)) {
    return { reason: "its export is not complete" }
  }
  const names = [...new Set(files.map((file) => file.config))]
  const { name } = chooseConfig(
    names.map((config) => ({ name: config })),
    wanted,
  )
  const branch = await pinRevision(hub, at.repo, BRANCH, signal)
  const tree = new Map((await listTree(hub, branch, signal)).map((file) => [file.path, file]))
  const own = files.filter(({ config }) => config === name)
  const splits = [...new Set(own.map(({ split }) => split))].map((split) => ({
    name: split,
    files: own
      .filter((file) => file.split === split)
      .map((file) => {
        const found = tree.get(pathOf(file.url))
        if (found) return found
        throw new IngestError(
          `Dataset ${JSON.stringify(at.repo)}: its export names a file that is not on ${BRANCH}: ${file.url}`,
        )
      }),
  }))
  return { at: branch, resolved: { config: name, builder: "parquet", splits, features: undefined, options: {} } }
}
