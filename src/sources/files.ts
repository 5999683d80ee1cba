/** The source of files: paths, folders and globs. */
import { type FilesOptions, listFiles } from "../files/list.ts"
import type { Source } from "../model/source.ts"

export type { FilesOptions }

/**
 * Files as items, as {@link listFiles} lists them.
 *
 * @throws {ConfigError} when `include` is empty.
 * @example
 * ```ts
 * files({ include: ["docs", "scans/*.pdf"], exclude: ["*.tmp"] })
 * ```
 */
export const files = (options: FilesOptions): Source => ({ name: "files", items: listFiles(options) })
