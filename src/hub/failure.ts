/**
 * What a refusal of the Hub means, and what to do about it. The Hub says more than the status in `X-Error-Code`
 * (`RepoNotFound`, `RevisionNotFound`, `EntryNotFound`, `GatedRepo`), as `huggingface_hub` reads it in
 * `hf_raise_for_status`.
 */
import { AuthError, ConfigError, IngestError, TokenError } from "../model/errors.ts"
import { shownUrl } from "./http.ts"

/** What the request was about, for messages. */
export interface About {
  readonly hubUrl: string
  readonly repo: string
  readonly revision?: string
  /** Whether a token was sent. */
  readonly token: boolean
}

const TOKEN_HINT =
  'make a token that may read it at https://huggingface.co/settings/tokens and give it as HF_TOKEN, "token:" or { token }'

/** So much of the answer's own words is shown. */
const WORDS = 300

/**
 * The error for an answer that is no success.
 *
 * @param words what the server says about it, in `X-Error-Message` or in the body.
 */
export const refusal = (response: Response, words: string, about: About): Error => {
  const { hubUrl, repo, revision } = about
  const { status, headers } = response
  const code = headers.get("x-error-code")
  const dataset = `Dataset ${JSON.stringify(repo)}`
  const page = `${hubUrl}/datasets/${repo}`
  const said = words === "" ? "" : `: ${words.slice(0, WORDS).replaceAll(/\s+/g, " ").trim()}`
  if (code === "GatedRepo") {
    return new AuthError(
      about.token
        ? `${dataset} is gated (${status}): open ${page} with the account that the token belongs to, accept its terms, and run again once access is granted`
        : `${dataset} is gated (${status}): accept its terms at ${page}, then ${TOKEN_HINT}`,
    )
  }
  if (status === 401 && about.token) {
    return new TokenError(`${hubUrl} refuses the token (401)${said}; it may have expired: ${TOKEN_HINT}`)
  }
  // Without a token the Hub does not tell a private dataset from one that there is not.
  if (status === 401) {
    return new AuthError(`${dataset} is private, or is not at ${hubUrl} (401). Check its name, or ${TOKEN_HINT}`)
  }
  if (status === 403) {
    return new AuthError(`${dataset}: the token may not read it (403)${said}; ${TOKEN_HINT}`)
  }
  if (code === "RevisionNotFound") {
    return new ConfigError(
      `${dataset} has no revision ${JSON.stringify(revision ?? "")}: expected a branch, a tag or a commit of ${page}`,
    )
  }
  if (status === 404 && code === "EntryNotFound") {
    return new IngestError(`${shownUrl(response.url)}: the file is not there at this revision (404)`)
  }
  if (status === 404) {
    const hint = about.token ? "" : "; a private one needs a token"
    return new ConfigError(
      `${dataset} is not at ${hubUrl} (404): expected "name" or "owner/name" as in its address${hint}`,
    )
  }
  return new IngestError(`${shownUrl(response.url)}: ${status} ${response.statusText}${said}`)
}
