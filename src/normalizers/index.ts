/** The media that files can be. The order is that of the reference page; no two take the same extension. */
import type { Normalizer } from "../model/normalizer.ts"
import type { OptionValues } from "../model/options.ts"
import { image } from "./image.ts"
import { other } from "./other.ts"
import { pdf } from "./pdf.ts"
import { text } from "./text.ts"
import { video } from "./video.ts"

const MEDIA = [text, image, pdf, video, other] as const

export const NORMALIZERS: readonly Normalizer[] = MEDIA

type Medium = (typeof MEDIA)[number]

type NamesOf<Columns> = Columns extends unknown ? keyof Columns : never

/** The columns of files, whatever their media: a table of them has them all. `N` are media besides Sluice's own. */
export type FileColumns<N extends Medium | Normalizer = Medium> = {
  readonly [Name in NamesOf<(N | Medium)["columns"]>]: Extract<
    (N | Medium)["columns"],
    Readonly<Record<Name, string>>
  >[Name]
}

/**
 * Options of each medium, by its name. Durations are milliseconds, or text such as `"10s"`. `N` are media besides
 * Sluice's own.
 *
 * @example
 * ```ts
 * const options: FileOptions = { text: { chunkSize: 500, chunkOverlap: 50 }, video: { segment: "30s" } }
 * ```
 */
export type FileOptions<N extends Medium | Normalizer = Medium> = {
  readonly [M in N | Medium as M["name"]]?: OptionValues<M["options"]>
}
