/**
 * Datasets where a file is a row (`packaged_modules/folder_based_builder` of `datasets`): pictures, sounds, videos,
 * PDFs. With a metadata file its rows are the rows, and name the files; without, folders name the classes.
 */

import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path/posix"
import { type Folder, isMetadata } from "../../hub/builders.ts"
import type { MediaKind } from "../../hub/features.ts"
import { normalizePath } from "../../hub/glob.ts"
import type { Split } from "../../hub/resolve.ts"
import { type Batch, batchOf, sliceBatch } from "../../model/batch.ts"
import { bytesColumn, type Column, numberColumn, textColumn, valueAt } from "../../model/column.ts"
import { IngestError } from "../../model/errors.ts"
import { formatBytes } from "../../model/units.ts"
import { MEDIA, uniqueNames } from "./columns.ts"
import { type Part, type Reading, readFiles, type Session, withFile } from "./session.ts"
import { tableRows } from "./table-rows.ts"

const KINDS: Readonly<Record<Folder, { readonly column: string; readonly media: MediaKind }>> = {
  imagefolder: { column: "image", media: "Image" },
  audiofolder: { column: "audio", media: "Audio" },
  videofolder: { column: "video", media: "Video" },
  pdffolder: { column: "pdf", media: "Pdf" },
  meshfolder: { column: "mesh", media: "Mesh" },
  niftifolder: { column: "nifti", media: "Nifti" },
}

/**
 * The classes, sorted, where folders name them: more than one folder, all files at the same depth, and no metadata.
 */
export const folderLabels = (
  splits: readonly Split[],
  options: Readonly<Record<string, unknown>>,
): readonly string[] | undefined => {
  if (options.drop_labels === true) return undefined
  const paths = splits.flatMap(({ files }) => files.map(({ path }) => path))
  if (options.drop_metadata !== true && paths.some(isMetadata)) return undefined
  const media = paths.filter((path) => !isMetadata(path))
  const labels = new Set(media.map((path) => basename(dirname(path))))
  const depths = new Set(media.map((path) => path.split("/").length))
  if (options.drop_labels !== false && (labels.size < 2 || depths.size > 1)) return undefined
  return [...labels].sort()
}

/** One file, one row: `image`, `image_path`, and `label` where folders name classes. */
export async function* fileRow(session: Session, part: Part, kind: Folder, reading: Reading): AsyncGenerator<Batch> {
  const { column, media } = KINDS[kind]
  const { file } = part
  if (file.size > reading.maxBytes) {
    throw new IngestError(
      `${file.path} has ${formatBytes(file.size)}; a value of a row is held in memory whole, and may have at most ${formatBytes(reading.maxBytes)} (max_item_bytes)`,
    )
  }
  yield* withFile(session, part, reading.signal, async function* ({ path }) {
    const columns: Record<string, Column> = {
      [column]: bytesColumn([await readFile(path)], MEDIA[media]),
      [`${column}_path`]: textColumn([file.path]),
    }
    const { labels } = session
    if (labels) {
      const label = labels.indexOf(basename(dirname(file.path)))
      columns.label = numberColumn(Int32Array.of(label), { name: "CLASS_LABEL", names: labels })
    }
    yield picked(batchOf(columns), session.columns, file.path)
  })
}

/** The columns that are asked for, each with its `_path`. */
const picked = (batch: Batch, wanted: readonly string[] | undefined, where: string): Batch => {
  if (!wanted) return batch
  const missing = wanted.find((name) => !batch.columns.has(name))
  if (missing !== undefined) {
    throw new IngestError(
      `${where}: there is no column ${JSON.stringify(missing)}; it has ${[...batch.columns.keys()].join(", ")}`,
    )
  }
  return {
    rows: batch.rows,
    columns: new Map(
      [...batch.columns].filter(([name]) => wanted.includes(name) || wanted.includes(name.replace(/_path$/, ""))),
    ),
  }
}

/** Rows whose files are fetched together. */
const FETCHED_ROWS = 64

/** `file_name` is the base column, `mask_file_name` the column `mask`; undefined for other names. */
const fileColumn = (name: string, base: string): string | undefined => {
  if (name === "file_name") return base
  return name.endsWith("_file_name") ? name.slice(0, -"_file_name".length) : undefined
}

/** The file that a row names, relative to the metadata; undefined, after saying so, for what leads out of it. */
const place = (name: unknown, metadata: string, { partial }: Reading): string | undefined => {
  if (typeof name !== "string" || name === "") return undefined
  const parts = name.replaceAll("\\", "/").split("/")
  if (name.startsWith("/") || /^[a-z]+:/i.test(name) || parts.includes("..")) {
    partial(`${metadata}: expected a file beside it, found ${JSON.stringify(name)}`)
    return undefined
  }
  return normalizePath(`${dirname(metadata)}/${parts.join("/")}`)
}

/** The rows of a metadata file, with the files that they name in place of the names. */
export async function* metadataRows(
  session: Session,
  part: Part,
  kind: Folder,
  reading: Reading,
): AsyncGenerator<Batch> {
  const { column: base, media } = KINDS[kind]
  const { path: metadata } = part.file
  let named = false
  // Columns are picked once the files have theirs.
  const builder = metadata.endsWith(".parquet") ? "parquet" : metadata.endsWith(".jsonl") ? "json" : "csv"
  const table: Session = { ...session, columns: undefined, resolved: { ...session.resolved, builder } }
  for await (const batch of tableRows(table, part, reading)) {
    for (let start = 0; start < batch.rows; start += FETCHED_ROWS) {
      const slice = sliceBatch(batch, start, Math.min(start + FETCHED_ROWS, batch.rows))
      const unique = uniqueNames()
      // A column may be called __proto__.
      const columns = new Map<string, Column>()
      for (const [name, column] of slice.columns) {
        const target = fileColumn(name, base)
        if (target === undefined) {
          columns.set(unique(name), column)
          continue
        }
        named = true
        const names = Array.from({ length: slice.rows }, (_, row) => valueAt(column, row))
        const paths = names.map((one) => place(one, metadata, reading))
        const as = unique(target)
        columns.set(as, bytesColumn(await readFiles(session, paths, reading), MEDIA[media]))
        columns.set(unique(`${as}_path`), textColumn(paths))
      }
      if (!named) {
        throw new IngestError(
          `${metadata}: expected a column "file_name" or "*_file_name", found ${[...columns.keys()].join(", ")}`,
        )
      }
      yield picked({ rows: slice.rows, columns }, session.columns, metadata)
    }
  }
}
