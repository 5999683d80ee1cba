/** What a dataset of the Hub can be told: as TypeScript, and as the fields of a document. */
import { checkRepo, HUB_URL } from "../../hub/client.ts"
import type { RetryPolicy } from "../../hub/retry.ts"
import type { Fields, FieldValues } from "../../model/fields.ts"
import type { SchemaMap } from "../../model/types.ts"

export interface HuggingFaceOptions {
  /** Name of the dataset: `cifar10`, `owner/name`. */
  readonly repo: string
  /** Branch, tag or commit. Default `main`; what it is when the run starts is read. */
  readonly revision?: string
  /** The configuration (subset). Default: the only one, or the one that the dataset says is the default. */
  readonly config?: string
  /** One split or several. Default: all of them. */
  readonly split?: string | readonly string[]
  /** Columns to take, as the dataset calls them. Default: all. */
  readonly columns?: readonly string[]
  /** Takes no more rows than this, over all files in their order. */
  readonly limit?: number
  /** Token of an account that may read the dataset; begins with `hf_`. Undefined, as of a variable that is not set, is none. */
  readonly token?: string | undefined
  /** Default `https://huggingface.co`. */
  readonly hubUrl?: string
  /** The server that knows Parquet exports. Default: `datasets-server.` before the Hub's name. */
  readonly datasetsServerUrl?: string
  /** Folder of the files while they are read. Default: one of the user's in the system's folder for temporary files. */
  readonly cacheDir?: string
  /** Bytes that downloaded files may take. Default 4 GiB; a larger file goes alone. */
  readonly cacheBytes?: number
  /** Keeps files once they were read. Default false. */
  readonly keepCache?: boolean
  /** Thumbnails of columns of pictures. Default true. */
  readonly thumbnails?: boolean
  /** Column types that win over the dataset's. */
  readonly schema?: SchemaMap
  /** How requests are tried again. */
  readonly retry?: Partial<RetryPolicy>
}

export const HUGGINGFACE_FIELDS = {
  repo: { type: "text", check: checkRepo, description: "Name of the dataset: `cifar10`, `owner/name`." },
  revision: {
    type: "text",
    optional: true,
    description: "Branch, tag or commit; `main` by default. What it is when the run starts is read.",
  },
  config: {
    type: "text",
    optional: true,
    description: "The configuration (subset): by default the only one, or the one that the dataset calls its default.",
  },
  split: { type: "texts", optional: true, description: "One split or several; all of them by default." },
  columns: {
    type: "texts",
    optional: true,
    description: "Columns to take, as the dataset calls them; all by default.",
  },
  limit: { type: "integer", min: 1, optional: true, description: "No more rows than this, over all files in order." },
  token: {
    type: "text",
    optional: true,
    variable: "HF_TOKEN",
    secret: true,
    description: "Token of an account that may read the dataset; better in the variable than in the document.",
  },
  hub_url: {
    type: "text",
    default: HUB_URL,
    variable: "HF_ENDPOINT",
    description: "Address of the Hub.",
  },
  datasets_server_url: {
    type: "text",
    optional: true,
    description: "Address of the server that knows Parquet exports; the Hub's with `datasets-server.` by default.",
  },
  cache_dir: {
    type: "text",
    optional: true,
    description: "Folder of files while they are read; one of your own among the temporary ones by default.",
  },
  cache_bytes: {
    type: "bytes",
    min: 1,
    default: 4 * 2 ** 30,
    description: "Bytes that downloaded files may take; a larger file goes alone.",
  },
  keep_cache: { type: "boolean", default: false, description: "Keep files once they were read." },
  thumbnails: { type: "boolean", default: true, description: "Make thumbnails of columns of pictures." },
} as const satisfies Fields

const listOf = (texts: string | readonly string[] | undefined): readonly string[] | undefined =>
  texts === undefined ? undefined : [texts].flat()

/** Options without those that are not given. */
const given = <T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never

export const huggingFaceOptions = (values: FieldValues<typeof HUGGINGFACE_FIELDS>): HuggingFaceOptions => ({
  repo: values.repo,
  hubUrl: values.hub_url,
  cacheBytes: values.cache_bytes,
  keepCache: values.keep_cache,
  thumbnails: values.thumbnails,
  ...given({
    revision: values.revision,
    config: values.config,
    split: values.split,
    columns: listOf(values.columns),
    limit: values.limit,
    token: values.token,
    datasetsServerUrl: values.datasets_server_url,
    cacheDir: values.cache_dir,
  }),
})
