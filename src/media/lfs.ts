/** Git LFS pointers: the small text that stands in for a file that was not downloaded. */
import { IngestError } from "../model/errors.ts"

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(ext-.*\n)*oid sha256:[0-9a-f]{64}\nsize (\d+)\n$/

/** A pointer is shorter than this: a head of as many bytes tells. */
export const POINTER_BYTES = 1024

/**
 * @param head the first bytes of a file: all of them, where it has fewer than {@link POINTER_BYTES}.
 * @throws {IngestError} when the file is a pointer.
 */
export const checkPointer = (head: Uint8Array): void => {
  const size = head.length < POINTER_BYTES ? POINTER.exec(new TextDecoder().decode(head))?.[2] : undefined
  if (size !== undefined) {
    throw new IngestError(
      `Expected the file itself (${size} bytes), found the Git LFS pointer to it; fetch it with: git lfs pull`,
    )
  }
}
