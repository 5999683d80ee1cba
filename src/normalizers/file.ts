/** What the workers run for a file: finds out what the file is and hands it to the normalizer of that medium. */
import { checkItem, closeItem, openItem } from "../media/itemfile.ts"
import { checkPointer } from "../media/lfs.ts"
import type { Plain } from "../model/item.ts"
import { type Normalize, type Normalizer, WrongLane } from "../model/normalizer.ts"
import { readOptions } from "../model/options.ts"
import { NORMALIZERS } from "./index.ts"
import { byContent, byExtension } from "./route.ts"

const optionsOf = (media: Plain | undefined, { name, options }: Normalizer): Readonly<Record<string, Plain>> =>
  readOptions(name, options, (media as Readonly<Record<string, Readonly<Record<string, Plain>>>> | undefined)?.[name])

/**
 * Rows of a file of any medium. Options: `lane`, the lane that this runs in, and `media`, the options of each medium
 * by its name; a medium that is missing there has its defaults.
 *
 * @throws {WrongLane} when the file's normalizer must run in another lane.
 * @throws {IngestError} when the file is missing, damaged, too large, a Git LFS pointer, or changes meanwhile.
 */
export const normalizeFile: Normalize = async function* (item, options, context) {
  const head = openItem(item)
  try {
    checkPointer(head)
    const { normalizer, lane } = await byContent(head, byExtension(item.uri, NORMALIZERS), NORMALIZERS)
    // What a thread can do a process can, too; a picture may have come here for its size.
    if (lane !== options.lane && !(lane === "thread" && options.lane === "process")) throw new WrongLane(lane)
    for await (const rows of normalizer.normalize(item, optionsOf(options.media, normalizer), context)) {
      yield { ...rows, medium: normalizer.name }
    }
    checkItem(item)
  } finally {
    closeItem(item)
  }
}
