/**
 * The columns that the features of a LeRobot dataset become.
 *
 * A feature's column has its key without `observation.` (`observation.state` is `state`), and `actions` is `action`,
 * so that datasets which differ in no more than this give the same table. A vector that is unpacked gives a column a
 * number: the column's name and the number's, joined by `_`. Where the names are missing, are not as many as there are
 * numbers, or are not all different, they are 0, 1, 2, ... Letters, digits and `_` stay, everything else becomes `_`.
 */
import type { ColumnType, TypeName } from "../../model/types.ts"
import type { Feature } from "./info.ts"

/** What every frame has, in the order of the columns. */
export const FRAME_COLUMNS: readonly (readonly [key: string, type: ColumnType])[] = [
  ["index", { name: "INT64" }],
  ["episode_index", { name: "INT64" }],
  ["frame_index", { name: "INT64" }],
  ["task_index", { name: "INT64" }],
  ["timestamp", { name: "FLOAT32" }],
]

/** How a feature of the frames is read, and into which columns. */
export type FrameFeature = { readonly key: string } & (
  | { readonly kind: "value" | "image" | "nested"; readonly column: string; readonly type: ColumnType }
  | { readonly kind: "unpacked"; readonly columns: readonly string[]; readonly type: ColumnType }
)

export interface Camera {
  /** Key of the feature. */
  readonly key: string
  readonly column: string
}

/** Longer vectors (the output of a network, a tactile skin) are no numbers that anyone wants a column each for. */
const MOST_UNPACKED = 128

/** By what a dataset says; it may say "constructor". */
const TYPES = new Map<string, TypeName>(
  Object.entries({
    float16: "FLOAT32",
    float32: "FLOAT32",
    float64: "FLOAT64",
    int8: "INT32",
    uint8: "INT32",
    int16: "INT32",
    uint16: "INT32",
    int32: "INT32",
    uint32: "INT64",
    int64: "INT64",
    uint64: "INT64",
    bool: "BOOL",
    string: "TEXT",
  } satisfies Record<string, TypeName>),
)

const clean = (text: string): string => text.replaceAll(/[^\p{L}\p{N}_]/gu, "_")

/** Gives names that nobody has yet, in any case of letters: SQL does not tell them apart. */
const newNames = (taken: readonly string[]) => {
  const used = new Set(taken.map((name) => name.toLowerCase()))
  const free = (names: readonly string[]): boolean => names.every((name) => !used.has(name.toLowerCase()))
  /** The first of the proposed sets of names that is free; else the last one, numbered. */
  return (...proposals: readonly (readonly string[])[]): readonly string[] => {
    const last = proposals.at(-1) ?? []
    let chosen = proposals.find(free)
    for (let number = 2; !chosen; number++) {
      const numbered = last.map((name) => `${name}_${number}`)
      if (free(numbered)) chosen = numbered
    }
    for (const name of chosen) used.add(name.toLowerCase())
    return chosen
  }
}

const shortKey = (key: string): string => {
  const short = clean(key.replace(/^observation\./, ""))
  return short === "actions" ? "action" : short
}

/** The texts in `names`, whatever holds them: a list, lists in a list, lists by name, or positions by name. */
const flatten = (names: unknown): readonly string[] => {
  if (typeof names === "string" || typeof names === "number") return [String(names)]
  if (Array.isArray(names)) return names.flatMap(flatten)
  if (typeof names !== "object" || names === null) return []
  const entries = Object.entries(names)
  // { "x": 0, "y": 1, "gripper": 2 }
  if (entries.length > 0 && entries.every(([, at]) => typeof at === "number")) {
    return entries.sort(([, a], [, b]) => Number(a) - Number(b)).map(([name]) => name)
  }
  return entries.flatMap(([, inner]) => flatten(inner))
}

/** A name for each number of a vector. */
export const partNames = (names: unknown, count: number): readonly string[] => {
  const found = flatten(names).map(clean)
  const distinct = new Set(found.map((name) => name.toLowerCase()))
  return found.length === count && distinct.size === count
    ? found
    : Array.from({ length: count }, (_, index) => String(index))
}

const withSuffix = (name: string, suffix: string): string =>
  name === suffix || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`

/** DROID has the left eye of stereo cameras: `exterior_image_1_left`, `wrist_image_left`; later `exterior_1_left`. */
const DROID = /^(exterior|wrist)(?:_image)?(_\d+)?_left$/

const cameraOf = (key: string): string =>
  clean(key.replace(/^observation\./, "").replace(/^images?\./, "")).replace(DROID, "$1$2")

/**
 * How the features that are in the Parquet files become columns.
 *
 * @param unpack gives the numbers of a vector a column each; otherwise it is one EMBEDDING.
 */
export const frameFeatures = (features: readonly Feature[], unpack: boolean): readonly FrameFeature[] => {
  const fixed = FRAME_COLUMNS.map(([key]) => key)
  const choose = newNames(fixed)
  const single = (...names: readonly string[]): string => choose(...names.map((name) => [name]))[0] ?? ""
  return features.flatMap(({ key, dtype, shape, names }): FrameFeature[] => {
    if (dtype === "video" || fixed.includes(key)) return []
    if (dtype === "image") {
      const column = single(withSuffix(cameraOf(key), "image"), clean(key))
      return [{ key, kind: "image", column, type: { name: "IMAGE" } }]
    }
    const proposals = [shortKey(key), clean(key)]
    const name = TYPES.get(dtype)
    const [size = 1, ...more] = shape
    const whole = more.every((one) => one === 1)
    if (name && whole && size === 1) return [{ key, kind: "value", column: single(...proposals), type: { name } }]
    const vector = more.length === 0 && size > 1
    if (name && vector && unpack && size <= MOST_UNPACKED) {
      const parts = partNames(names, size)
      const columns = choose(...proposals.map((prefix) => parts.map((part) => `${prefix}_${part}`)))
      return [{ key, kind: "unpacked", columns, type: { name } }]
    }
    if (vector && dtype.startsWith("float")) {
      return [{ key, kind: "value", column: single(...proposals), type: { name: "EMBEDDING", size } }]
    }
    return [{ key, kind: "nested", column: single(...proposals), type: { name: "JSON" } }]
  })
}

/** The columns of the cameras whose videos the dataset has. */
export const cameras = (features: readonly Feature[]): readonly Camera[] => {
  const choose = newNames(["episode_index", "task", "length"])
  return features
    .filter(({ dtype }) => dtype === "video")
    .map(({ key }) => ({ key, column: choose([withSuffix(cameraOf(key), "video")], [clean(key)])[0] ?? "" }))
}
