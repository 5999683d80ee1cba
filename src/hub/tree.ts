/** What a dataset has at a revision: the commit that it is, and its files. */
import { IngestError } from "../model/errors.ts"
import { type Hub, type HubFile, type Revision, readAnswer } from "./client.ts"
import { Passing, retried } from "./retry.ts"

/** A listing is held whole while it is resolved to splits: about 300 bytes a file. */
const MAX_FILES = 1_000_000

/**
 * The commit that a branch, a tag or a commit is now. Everything after it is asked for by this commit, so that a push
 * in the middle of a run changes nothing.
 *
 * @throws {ConfigError} when there is no such dataset or revision.
 * @throws {AuthError} when it may not be read.
 */
export const pinRevision = async (hub: Hub, repo: string, revision: string, signal: AbortSignal): Promise<Revision> => {
  const { datasetInfo } = await import("@huggingface/hub")
  const info = await datasetInfo({
    ...hub.credentials,
    name: repo,
    revision,
    additionalFields: ["sha"],
    fetch: hub.fetch({ repo, revision }, signal),
  })
  if (!/^[0-9a-f]{40}$/.test(String(info.sha))) {
    throw new IngestError(`${hub.hubUrl}: expected the commit of dataset ${JSON.stringify(repo)}, found ${info.sha}`)
  }
  return { repo: info.name, sha: info.sha }
}

/** No part of it may lead elsewhere once it stands in a URL. */
const isPlainPath = (path: string): boolean =>
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..")

/** All files of the commit, in the Hub's order. */
export const listTree = async (hub: Hub, at: Revision, signal: AbortSignal): Promise<HubFile[]> => {
  const { listFiles } = await import("@huggingface/hub")
  const files: HubFile[] = []
  const listing = listFiles({
    ...hub.credentials,
    repo: { type: "dataset", name: at.repo },
    // The one call that does not encode it; a commit needs no encoding.
    revision: at.sha,
    recursive: true,
    fetch: hub.fetch({ repo: at.repo, revision: at.sha }, signal),
  })
  for await (const { type, path, size, oid, lfs } of listing) {
    if (type !== "file") continue
    const digest = lfs ? "sha256" : "git"
    const content = lfs?.oid ?? oid ?? ""
    if (!isPlainPath(path) || !/^[0-9a-f]{40,64}$/.test(content)) {
      throw new IngestError(
        `Dataset ${JSON.stringify(at.repo)}: expected a file with a path and a digest, found ${JSON.stringify({ path, oid: content })}`,
      )
    }
    if (files.length === MAX_FILES) {
      throw new IngestError(
        `Dataset ${JSON.stringify(at.repo)} has more than ${MAX_FILES} files, which is too many to list`,
      )
    }
    files.push({ path, size: lfs?.size ?? size, oid: content, digest })
  }
  return files
}

/** The bytes of a small file. @throws {IngestError} when it has more than `maxBytes`. */
export const readSmall = (
  hub: Hub,
  at: Revision,
  { path, size }: HubFile,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> => {
  if (size === 0) return Promise.resolve(new Uint8Array(0))
  return retried(
    async () => {
      const bytes = await readAnswer(await hub.open(at, path, { offset: 0 }, signal), maxBytes, path)
      if (bytes.length === size) return bytes
      throw new Passing(`${path}: the connection ended after ${bytes.length} of ${size} bytes`)
    },
    hub.retry,
    signal,
  )
}

/** The last `length` bytes of a file. */
export const readTail = (
  hub: Hub,
  at: Revision,
  { path, size }: HubFile,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> =>
  retried(
    async () => {
      const tail = await readAnswer(await hub.open(at, path, { offset: size - length }, signal), length, path)
      if (tail.length === length) return tail
      throw new Passing(`${path}: the connection ended after ${tail.length} of ${length} bytes`)
    },
    hub.retry,
    signal,
  )
