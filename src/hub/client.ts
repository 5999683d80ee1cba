/**
 * The Hub as Sluice reads and writes it: `@huggingface/hub` with a `fetch` that tries again, and its traps worked
 * around (each has a test).
 *
 * - It tries nothing twice, and waits for ever: see `retry.ts` and `http.ts`.
 * - It does not encode paths, so that `a#1.csv` is asked for as `a`; and `listFiles` alone does not encode revisions.
 * - It follows a `Link` to the next page wherever that leads, token included.
 * - An empty file is a range that cannot be satisfied (416): such files are never asked for.
 * - Its blobs cannot go on where they were cut: files are streamed by `download.ts` instead.
 */
import { withoutSecrets } from "../model/address-text.ts"
import { ConfigError, IngestError, TokenError } from "../model/errors.ts"
import { formatBytes } from "../model/units.ts"
import { mayLead } from "./address.ts"
import { type About, refusal } from "./failure.ts"
import { type Answer, type Http, isLeak, send } from "./http.ts"
import { Passing, RETRY, type RetryPolicy, retried } from "./retry.ts"

export const HUB_URL = "https://huggingface.co"

export interface HubOptions {
  /** Default `https://huggingface.co`. */
  readonly hubUrl?: string
  /**
   * The server of Parquet exports. Default: the Hub's with `datasets-server.` before its name, as `datasets` has it.
   */
  readonly datasetsServerUrl?: string
  /** Begins with `hf_`. Undefined, as of a variable that is not set, is none. */
  readonly token?: string | undefined
  readonly retry?: Partial<RetryPolicy>
}

/** A file of a dataset at one revision. */
export interface HubFile {
  /** In the repository, with `/`. */
  readonly path: string
  readonly size: number
  /** What its content is: the SHA-256 of a file in LFS, else git's SHA-1 of a blob. */
  readonly oid: string
  readonly digest: "sha256" | "git"
}

export interface Revision {
  /** The dataset's name as the Hub has it now; short and former names lead there. */
  readonly repo: string
  readonly sha: string
}

export interface Hub {
  readonly hubUrl: string
  readonly datasetsServerUrl: string | undefined
  readonly retry: RetryPolicy
  /** Requests that were made again so far. */
  readonly retries: () => number
  /**
   * A `fetch` for what fits into memory: tries again, follows redirects by our rules, and throws for answers that are
   * no success. A request that must not be made twice (`POST`) is tried again only where the server did not take it.
   */
  readonly fetch: (about: Pick<About, "repo" | "revision">, signal: AbortSignal) => typeof fetch
  /** For the parameters of `@huggingface/hub`. */
  readonly credentials: { readonly hubUrl: string; readonly accessToken?: string }
  /** A part of a file, from `offset` to its end; for `download.ts`. */
  readonly open: (
    at: Revision,
    path: string,
    range: { readonly offset: number; readonly etag?: string },
    signal: AbortSignal,
  ) => Promise<Answer>
}

/** No answer that is held in memory may have more; a page of a listing has about 1 MB. */
const MAX_ANSWER = 64 << 20

const checkUrl = (name: string, text: string): string => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== "") {
    throw new ConfigError(
      `${name}: expected an address such as ${HUB_URL}, without a password and without "?", found ${JSON.stringify(withoutSecrets(text))}`,
    )
  }
  return text.replace(/\/+$/, "")
}

const checkToken = (token: string): string => {
  const trimmed = token.trim()
  if (/^hf_[\x21-\x7e]+$/.test(trimmed)) return trimmed
  throw new TokenError('token: expected the token of a Hugging Face account, which begins with "hf_"')
}

/** `datasets` puts the server's name before the Hub's; an address that is a number has no names under it. */
const datasetsServerOf = (hubUrl: string): string | undefined =>
  /^[\d.:[\]]+$/.test(new URL(hubUrl).hostname) ? undefined : hubUrl.replace("://", "://datasets-server.")

/** @throws {ConfigError} for what is no name of a dataset. */
export const checkRepo = (repo: string): void => {
  if (/^(?:[\w.-]+\/)?[\w.-]+$/.test(repo) && !/(^|\/)\.+(\/|$)/.test(repo)) return
  throw new ConfigError(
    `repo: expected the name of a dataset, such as "cifar10" or "owner/name", found ${JSON.stringify(withoutSecrets(repo))}`,
  )
}

export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/")

/** All of the answer; what is too much for memory is an error before it is one for the process. */
export const readAnswer = async (answer: Answer, maxBytes: number, url: string): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const bytes of answer.body()) {
    size += bytes.length
    if (size > maxBytes) throw new IngestError(`${url}: expected at most ${formatBytes(maxBytes)}, found more`)
    parts.push(bytes)
  }
  const all = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const wordsOf = (body: Uint8Array, response: Response): string => {
  const header = response.headers.get("x-error-message")
  if (header !== null) return header
  const text = new TextDecoder().decode(body)
  if (!response.headers.get("content-type")?.startsWith("application/json")) return ""
  try {
    const { error }: { readonly error?: unknown } = JSON.parse(text)
    return typeof error === "string" ? error : ""
  } catch {
    // It says that it is JSON and is not: there are no words to be had from it.
    return ""
  }
}

/** A request that may have been carried out although no answer came. */
const isRisky = (init: RequestInit): boolean => !["GET", "HEAD", "PUT"].includes((init.method ?? "GET").toUpperCase())

/** @throws {ConfigError|TokenError} for an address or a token that is none. */
export const openHub = (options: HubOptions = {}): Hub => {
  const hubUrl = checkUrl("hub_url", options.hubUrl ?? HUB_URL)
  const datasetsServerUrl =
    options.datasetsServerUrl === undefined
      ? datasetsServerOf(hubUrl)
      : checkUrl("datasets_server_url", options.datasetsServerUrl)
  const token = options.token === undefined ? undefined : checkToken(options.token)
  let retries = 0
  const retry: RetryPolicy = { ...RETRY, ...options.retry, again: () => retries++ }
  const trusted = new Set(
    [hubUrl, ...(datasetsServerUrl === undefined ? [] : [datasetsServerUrl])].map((url) => new URL(url).origin),
  )
  const secret = token === undefined ? undefined : `Bearer ${token}`
  const http: Http = { secret, trusted, idle: retry.idle }

  const refused = async (answer: Answer, about: Pick<About, "repo" | "revision">): Promise<Error> => {
    const body = await readAnswer(answer, MAX_ANSWER, answer.response.url)
    const said = wordsOf(body, answer.response)
    const words = token === undefined ? said : said.replaceAll(token, "...")
    return refusal(answer.response, words, { ...about, hubUrl, token: token !== undefined })
  }

  return {
    hubUrl,
    datasetsServerUrl,
    retry,
    retries: () => retries,
    credentials: { hubUrl, ...(token !== undefined && { accessToken: token }) },
    fetch:
      (about, signal) =>
      async (input, init = {}) => {
        const url = input instanceof Request ? input.url : String(input)
        const { origin } = new URL(url)
        if (isLeak(http, new URL(url), new Headers(init.headers))) {
          throw new IngestError(`${hubUrl} leads on to ${origin}, which is not followed`)
        }
        // Where files are to be uploaded stands in an answer.
        if (!trusted.has(origin) && !(await mayLead(new URL(hubUrl), new URL(url)))) {
          throw new IngestError(
            `${hubUrl} leads on to ${origin}, further inside of a network than where it is itself, which is not followed`,
          )
        }
        return retried(
          async () => {
            const answer = await send(http, url, init, signal).catch((error: unknown) => {
              // A status means that nothing was done; a broken connection may have come after it was.
              throw error instanceof Passing && error.cause !== undefined && isRisky(init)
                ? new IngestError(`${error.message}; whether it was carried out is not known`, { cause: error.cause })
                : error
            })
            if (!answer.response.ok) throw await refused(answer, about)
            const { status, statusText, headers } = answer.response
            const body = await readAnswer(answer, MAX_ANSWER, url)
            return new Response(body.length > 0 ? body : null, { status, statusText, headers })
          },
          // A stream can be sent only once.
          init.body instanceof ReadableStream ? { ...retry, tries: 1 } : retry,
          signal,
        )
      },
    open: async ({ repo, sha }, path, { offset, etag }, signal) => {
      const headers = {
        range: `bytes=${offset}-`,
        ...(secret !== undefined && { authorization: secret }),
        ...(etag !== undefined && { "if-range": etag }),
      }
      const url = `${hubUrl}/datasets/${repo}/resolve/${sha}/${encodePath(path)}`
      const answer = await send(http, url, { headers }, signal)
      if (!answer.response.ok) throw await refused(answer, { repo, revision: sha })
      return answer
    },
  }
}
