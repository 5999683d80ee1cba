/** Putting files into a dataset of the Hub, in one commit: until it is made, nothing of them is to be seen. */
import { pathToFileURL } from "node:url"
import { AuthError, ConfigError, IngestError, messageOf, TokenError } from "../model/errors.ts"
import type { Hub, HubFile, Revision } from "./client.ts"
import { listTree, pinRevision, readSmall } from "./tree.ts"

const BRANCH = "main"
/** READMEs are read whole. */
const MAX_README = 4 << 20

/** A dataset that can be written to, as it is before. */
export interface Target {
  readonly at: Revision
  readonly files: readonly HubFile[]
  readonly readme: string | undefined
}

/** What goes where. */
export interface PushedFile {
  readonly path: string
  /** A local file, or the text itself. */
  readonly content: { readonly file: string } | { readonly text: string }
}

/** The words of a refusal are about reading. */
const toWrite = (error: unknown): unknown =>
  error instanceof AuthError && !(error instanceof TokenError)
    ? new AuthError(`${messageOf(error)} (to push it has to be one that may write)`, { cause: error })
    : error

/** Where a dataset is not there, a new one is made; `false` when it was there. */
const create = async (hub: Hub, repo: string, isPrivate: boolean, signal: AbortSignal): Promise<void> => {
  const { createRepo } = await import("@huggingface/hub")
  const { hubUrl, accessToken = "" } = hub.credentials
  await createRepo({
    repo: { type: "dataset", name: repo },
    visibility: isPrivate ? "private" : "public",
    hubUrl,
    accessToken,
    fetch: hub.fetch({ repo }, signal),
  })
}

/**
 * Makes the dataset where there is none, and looks at it.
 *
 * @param isPrivate whether a dataset that is made can be seen by its owner only; one that is there stays as it is.
 * @throws {AuthError} when the token may not write, or there is none.
 */
export const openTarget = async (hub: Hub, repo: string, isPrivate: boolean, signal: AbortSignal): Promise<Target> => {
  if (hub.credentials.accessToken === undefined) {
    throw new TokenError(
      "Pushing needs a token that may write: make one at https://huggingface.co/settings/tokens and give it as HF_TOKEN",
    )
  }
  if (!repo.includes("/")) throw new ConfigError(`repo: expected "owner/name", found ${JSON.stringify(repo)}`)
  try {
    let at: Revision
    try {
      at = await pinRevision(hub, repo, BRANCH, signal)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      await create(hub, repo, isPrivate, signal)
      at = await pinRevision(hub, repo, BRANCH, signal)
    }
    const files = await listTree(hub, at, signal)
    const readme = files.find(({ path }) => path === "README.md")
    const text = readme && new TextDecoder().decode(await readSmall(hub, at, readme, MAX_README, signal))
    return { at, files, readme: text }
  } catch (error) {
    throw toWrite(error)
  }
}

/**
 * Uploads the files and makes one commit of them. What has been uploaded once is not sent again when this is repeated.
 *
 * @returns the new commit.
 * @throws {IngestError} when somebody else has committed since the target was looked at.
 */
export const commitFiles = async (
  hub: Hub,
  target: Target,
  change: { readonly title: string; readonly put: readonly PushedFile[]; readonly drop: readonly string[] },
  signal: AbortSignal,
): Promise<string> => {
  const { commit } = await import("@huggingface/hub")
  const { repo, sha } = target.at
  try {
    const made = await commit({
      ...hub.credentials,
      repo: { type: "dataset", name: repo },
      branch: BRANCH,
      title: change.title,
      parentCommit: sha,
      operations: [
        ...change.put.map(({ path, content }) => ({
          operation: "addOrUpdate" as const,
          path,
          content: "file" in content ? pathToFileURL(content.file) : new Blob([content.text]),
        })),
        ...change.drop.map((path) => ({ operation: "delete" as const, path })),
      ],
      fetch: hub.fetch({ repo, revision: BRANCH }, signal),
      abortSignal: signal,
    })
    if (!made) throw new IngestError(`${hub.hubUrl} made no commit of what was uploaded`)
    return made.commit.oid
  } catch (error) {
    if (error instanceof IngestError && /: 412 /.test(error.message)) {
      throw new IngestError(
        `Dataset ${JSON.stringify(repo)} has been changed by somebody else meanwhile; nothing of this push is there. Run it again`,
        { cause: error },
      )
    }
    throw toWrite(error)
  }
}
