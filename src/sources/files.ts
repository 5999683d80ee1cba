/** The source of files: paths, folders and globs. */
import { type FilesOptions, listFiles } from "../files/list.ts"
import { Source } from "../model/source.ts"

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

export const filesSource = Source.define({
  type: "files",
  description: "Files, folders and globs on this machine.",
  fields: {
    include: {
      type: "texts",
      description: "Files, folders (with all that is in them) and globs; relative ones from the working directory.",
    },
    exclude: {
      type: "texts",
      default: [],
      description: "What is left out: names (`*.tmp`, `node_modules`), `**` globs, or paths and globs as in `include`.",
    },
    hidden: { type: "boolean", default: false, description: "Take files and folders whose name starts with a dot." },
    symlinks: {
      type: "choice",
      choices: ["skip", "follow"],
      default: "skip",
      description: "What to do with symbolic links inside of folders.",
    },
  },
  make: ({ include, exclude, hidden, symlinks }) => files({ include, exclude: [exclude].flat(), hidden, symlinks }),
})
