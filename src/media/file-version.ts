/** The fingerprint of a file on disk: the source gives it to the item, and a reader checks it again while it reads. */

/**
 * `<size>:<mtimeMs>`, size in bytes, mtime in milliseconds as far as the file system resolves it. A change that keeps
 * the size and sets the old mtime again is not seen.
 */
export const fileVersion = (stats: { readonly size: number; readonly mtimeMs: number }): string =>
  `${stats.size}:${stats.mtimeMs}`
