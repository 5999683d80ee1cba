/**
 * One HTTP request: redirects followed by our own rules, and given up when nothing comes for a while.
 *
 * The rules: only http and https, never from https down to http, and never further into a network (`address.ts`); the
 * token goes to the origins that it belongs to, and to no other (files in LFS are redirected to the storage's hosts,
 * whose URLs are signed).
 */
import { IngestError, messageOf } from "../model/errors.ts"
import { mayLead } from "./address.ts"
import { Passing, retryAfter } from "./retry.ts"

const MAX_REDIRECTS = 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Too many requests, and what servers say when they, or those behind them, are not well. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524])

export interface Http {
  /** The value of `Authorization` that is a secret, and the origins that may see it. */
  readonly secret: string | undefined
  readonly trusted: ReadonlySet<string>
  /** Milliseconds without a byte after which a request is given up. */
  readonly idle: number
}

export interface Answer {
  readonly response: Response
  /** The body, piece by piece. Throws {@link Passing} when the connection breaks, or nothing comes for too long. */
  readonly body: () => AsyncGenerator<Uint8Array, void, undefined>
  /** For a body that is not read. */
  readonly discard: () => Promise<void>
}

/** The URL as messages show it: what comes after the path may be a signature. */
export const shownUrl = (url: string | URL): string => {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

/** The text of a network error is in its cause: `fetch failed` alone helps nobody. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : ""
  return `${messageOf(cause) || "the connection failed"}${code}`
}

/** Where a redirect leads. @throws {IngestError} when it is not followed. */
const nextUrl = async (first: URL, url: URL, location: string): Promise<URL> => {
  const refuse = (to: string): IngestError =>
    new IngestError(`${shownUrl(url)} redirects to ${to}, which is not followed`)
  const next = URL.parse(location, url.href)
  if (!next) throw refuse("what is no address")
  const downgraded = url.protocol === "https:" && next.protocol !== "https:"
  if (downgraded || !/^https?:$/.test(next.protocol)) throw refuse(`${next.protocol}//${next.host}`)
  if (next.username !== "" || next.password !== "") throw refuse(`${next.origin} with a name or a password`)
  if (!(await mayLead(first, next))) throw refuse(`${next.origin}, further inside of a network than where it is itself`)
  return next
}

/** Whether a request would show the secret to someone who must not see it. */
export const isLeak = ({ secret, trusted }: Http, url: URL, headers: Headers): boolean =>
  secret !== undefined && headers.get("authorization") === secret && !trusted.has(url.origin)

/**
 * Sends a request and waits for the head of the answer, whatever its status.
 *
 * @throws {Passing} when the connection cannot be made or breaks, and for a status that passes.
 * @throws {IngestError} for a redirect that is not followed.
 */
export const send = async (
  http: Http,
  target: string | URL,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Answer> => {
  const stuck = new AbortController()
  const timer = setTimeout(() => stuck.abort(), http.idle)
  const end = (): void => clearTimeout(timer)
  const failed = (url: URL, error: unknown): unknown => {
    end()
    if (signal.aborted) return signal.reason
    const what = stuck.signal.aborted ? `nothing came for ${http.idle / 1000} s` : reasonOf(error)
    return new Passing(`${shownUrl(url)}: ${what}`, { cause: error })
  }

  const first = new URL(target)
  let url = first
  let response: Response
  const both = AbortSignal.any([signal, stuck.signal])
  for (let redirects = 0; ; redirects++) {
    const headers = new Headers(init.headers)
    if (isLeak(http, url, headers)) headers.delete("authorization")
    try {
      response = await fetch(url, { ...init, headers, redirect: "manual", signal: both })
    } catch (error) {
      throw failed(url, error)
    }
    const location = response.headers.get("location")
    if (!REDIRECTS.has(response.status) || location === null) break
    await response.body?.cancel()
    if (redirects === MAX_REDIRECTS) {
      end()
      throw new IngestError(`${shownUrl(target)}: more than ${MAX_REDIRECTS} redirects`)
    }
    url = await nextUrl(first, url, location).catch((error: unknown) => {
      end()
      throw error
    })
    timer.refresh()
  }
  const discard = async (): Promise<void> => {
    end()
    await response.body?.cancel().catch(() => {})
  }
  if (PASSING.has(response.status)) {
    await discard()
    const after = retryAfter(response.headers.get("retry-after"))
    throw new Passing(`${shownUrl(url)}: ${response.status} ${response.statusText}`.trimEnd(), { after })
  }
  const body = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const bytes of response.body ?? []) {
        timer.refresh()
        yield bytes
        timer.refresh()
      }
    } catch (error) {
      throw failed(url, error)
    } finally {
      await discard()
    }
  }
  return { response, body, discard }
}
