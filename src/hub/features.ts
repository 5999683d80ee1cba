/**
 * Features: the types that `datasets` gives to columns, from its two notations.
 *
 * JSON, in the Parquet metadata `huggingface`: `{ "label": { "names": ["cat"], "_type": "ClassLabel" } }`. YAML, in a
 * README: `- name: label` / `dtype: { class_label: { names: { "0": cat } } }`. Both are what `Features.from_dict` and
 * `Features._from_yaml_list` read (`src/datasets/features/features.py`), old spellings included: `Sequence` and a bare
 * list for `List`.
 */

import { parseJson } from "../model/json-text.ts"

export type MediaKind = "Image" | "Audio" | "Video" | "Pdf" | "Nifti" | "Mesh"

export type Feature =
  | { readonly kind: "value"; readonly dtype: string }
  | { readonly kind: "label"; readonly names: readonly string[] }
  | { readonly kind: "media"; readonly media: MediaKind }
  /** `length` where all lists have the same. */
  | { readonly kind: "list"; readonly of: Feature; readonly length?: number }
  /** An array of the given shape; a dimension that varies is undefined. */
  | { readonly kind: "array"; readonly dtype: string; readonly shape: readonly (number | undefined)[] }
  /** An encoded value in a text. */
  | { readonly kind: "json" }
  /** Structs, translations, and what is not known here. */
  | { readonly kind: "other" }

/** Features by column, in the order of the columns. */
export type Features = ReadonlyMap<string, Feature>

type Dict = Readonly<Record<string, unknown>>

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value)

const MEDIA = new Set<string>(["Image", "Audio", "Video", "Pdf", "Nifti", "Mesh"] satisfies MediaKind[])

const isMediaKind = (type: string): type is MediaKind => MEDIA.has(type)

const OTHER: Feature = { kind: "other" }

/** A list of names, or a mapping from position to name. */
const namesOf = (names: unknown): string[] => {
  if (Array.isArray(names)) return names.map(String)
  if (!isDict(names)) return []
  return Object.keys(names)
    .map(Number)
    .sort((a, b) => a - b)
    .map((position) => String(names[position]))
}

const listOf = (of: Feature, length: unknown): Feature =>
  typeof length === "number" && length >= 0 ? { kind: "list", of, length } : { kind: "list", of }

const arrayOf = ({ shape, dtype }: Dict): Feature =>
  Array.isArray(shape)
    ? {
        kind: "array",
        dtype: String(dtype),
        shape: shape.map((size) => (typeof size === "number" && size >= 0 ? size : undefined)),
      }
    : OTHER

/** One of a type's name and its parameters. */
const featureOf = (type: string, fields: Dict, inner: (value: unknown) => Feature): Feature => {
  if (isMediaKind(type)) return { kind: "media", media: type }
  if (/^Array[2-5]D$/.test(type)) return arrayOf(fields)
  switch (type) {
    case "Value":
      return { kind: "value", dtype: String(fields.dtype) }
    case "ClassLabel":
      return { kind: "label", names: namesOf(fields.names) }
    case "List":
    case "LargeList":
      return listOf(inner(fields.feature), fields.length)
    case "Sequence":
      // Of a struct it is a struct of lists.
      return isDict(fields.feature) && !("_type" in fields.feature)
        ? OTHER
        : listOf(inner(fields.feature), fields.length)
    case "Json":
      return { kind: "json" }
    default:
      return OTHER
  }
}

const fromJson = (value: unknown): Feature => {
  if (Array.isArray(value)) return listOf(fromJson(value[0]), undefined)
  if (!isDict(value) || typeof value._type !== "string") return OTHER
  return featureOf(value._type, value, fromJson)
}

/** `class_label` as `ClassLabel`, `array2_d` as `Array2D`. */
const camel = (name: string): string => name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

const fromYaml = (value: unknown): Feature => {
  if (typeof value === "string") return fromYaml({ dtype: value })
  if (!isDict(value)) return OTHER
  for (const key of ["list", "large_list", "sequence"] as const) {
    const of = value[key]
    if (of === undefined) continue
    // Fields, and so a struct.
    if (Array.isArray(of)) return key === "sequence" ? OTHER : listOf(OTHER, value.length)
    return listOf(fromYaml(of), value.length)
  }
  const { dtype } = value
  if (typeof dtype === "string") {
    const type = camel(dtype)
    return isMediaKind(type) || type === "Json" ? featureOf(type, {}, fromYaml) : { kind: "value", dtype }
  }
  if (!isDict(dtype)) return OTHER
  const [name, fields] = Object.entries(dtype)[0] ?? []
  return name === undefined ? OTHER : featureOf(camel(name), isDict(fields) ? fields : {}, fromYaml)
}

/** The features of a README's `dataset_info`; undefined when there are none. */
export const featuresOfYaml = (list: unknown): Features | undefined => {
  if (!Array.isArray(list)) return undefined
  return new Map(
    list.flatMap((entry): [string, Feature][] =>
      isDict(entry) && entry.name !== undefined ? [[String(entry.name), fromYaml(entry)]] : [],
    ),
  )
}

/** The features in the value of the Parquet metadata `huggingface`; undefined when there are none. */
export const featuresOfMetadata = (text: string | undefined): Features | undefined => {
  if (text === undefined) return undefined
  let parsed: unknown
  try {
    parsed = parseJson(text)
  } catch {
    // Metadata of another kind under the same name: the columns still have their types.
    return undefined
  }
  const info = isDict(parsed) && isDict(parsed.info) ? parsed.info : undefined
  if (!info || !isDict(info.features)) return undefined
  return new Map(Object.entries(info.features).map(([name, feature]) => [name, fromJson(feature)]))
}
