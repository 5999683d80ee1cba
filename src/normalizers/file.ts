/** What the workers run for a file: finds out what the file is and hands it to the normalizer of that medium. */
import { checkItem, closeItem, openItem } from "../media/itemfile.ts"
import { checkPointer } from "../media/lfs.ts"
import { ConfigError } from "../model/errors.ts"
import type { Plain } from "../model/item.ts"
import { type Normalize, type Normalizer, WrongLane } from "../model/normalizer.ts"
import { readOptions } from "../model/options.ts"
import { NORMALIZERS } from "./index.ts"
import { byContent, byExtension } from "./route.ts"

/** Where a normalizer that is not one of these is found. */
interface Other {
  readonly module: string
  readonly name: string
}

const optionsOf = (media: Plain | undefined, { name, options }: Normalizer): Readonly<Record<string, Plain>> =>
  readOptions(name, options, (media as Readonly<Record<string, Readonly<Record<string, Plain>>>> | undefined)?.[name])

const isNormalizer = (value: unknown): value is Normalizer =>
  typeof value === "object" && value !== null && (value as Partial<Normalizer>).kind === "normalizer"

const load = async ({ module, name }: Other): Promise<Normalizer> => {
  const exported = Object.values((await import(module)) as Readonly<Record<string, unknown>>)
  const found = exported.find((value): value is Normalizer => isNormalizer(value) && value.name === name)
  if (found) return found
  throw new ConfigError(`normalizer ${name}: expected ${module} to export it, found no such normalizer there`)
}

let loaded: { readonly key: string; readonly normalizers: Promise<readonly Normalizer[]> } | undefined

/** All normalizers, in the order in which they are asked: those from elsewhere first. */
const normalizersWith = (others: readonly Other[]): Promise<readonly Normalizer[]> => {
  const key = JSON.stringify(others)
  if (loaded?.key !== key) {
    loaded = { key, normalizers: Promise.all(others.map(load)).then((found) => [...found, ...NORMALIZERS]) }
  }
  return loaded.normalizers
}

/**
 * Rows of a file of any medium. Options: `lane`, the lane that this runs in; `media`, the options of each medium
 * by its name, where a medium that is missing has its defaults; and `others`, normalizers that are not Sluice's own.
 *
 * @throws {WrongLane} when the file's normalizer must run in another lane.
 * @throws {IngestError} when the file is missing, damaged, too large, a Git LFS pointer, or changes meanwhile.
 */
export const normalizeFile: Normalize = async function* (item, options, context) {
  const head = openItem(item)
  try {
    checkPointer(head)
    const normalizers = await normalizersWith((options.others ?? []) as unknown as readonly Other[])
    const { normalizer, lane } = await byContent(head, byExtension(item.uri, normalizers), normalizers)
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
