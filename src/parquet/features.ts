/**
 * Column types as Hugging Face's features, so that `datasets` in Python gives back pictures, videos and class names.
 *
 * It reads them from the key `huggingface` of a Parquet file's metadata: `{"info":{"features":{column: feature}}}`
 * (https://huggingface.co/docs/datasets/about_dataset_features). A picture or video is kept there as a struct of its
 * bytes and a path.
 */
import type { Plain } from "../model/item.ts"
import type { ColumnType, Schema, TypeName } from "../model/types.ts"

export type Feature = { readonly [key: string]: Plain }

const value = (dtype: string): Feature => ({ dtype, _type: "Value" })
const image: Feature = { _type: "Image" }
const floats: Feature = { feature: value("float32"), _type: "List" }

/** Masks are PNGs. JSON is text to every version of `datasets`; its own type for it is known to the newest only. */
const FEATURES: Readonly<Record<TypeName, Feature>> = {
  TEXT: value("string"),
  INT32: value("int32"),
  INT64: value("int64"),
  FLOAT32: value("float32"),
  FLOAT64: value("float64"),
  BOOL: value("bool"),
  BINARY: value("binary"),
  IMAGE: image,
  VIDEO: { _type: "Video" },
  EMBEDDING: floats,
  MULTI_EMBEDDING: { feature: floats, _type: "List" },
  SEGMENT_MASK: image,
  BINARY_MASK: image,
  BOUNDING_BOX: floats,
  CLASS_LABEL: value("int64"),
  POLYGON: value("binary"),
  POINT: floats,
  MESH: value("binary"),
  MEDICAL: value("binary"),
  JSON: value("string"),
}

export const featureOf = (type: ColumnType): Feature => {
  if (type.name === "CLASS_LABEL" && type.names) return { names: type.names, _type: "ClassLabel" }
  // The length would be that of the outer list there.
  if (type.size !== undefined && type.name !== "MULTI_EMBEDDING") return { ...FEATURES[type.name], length: type.size }
  return FEATURES[type.name]
}

export const featuresOf = (schema: Schema): Feature =>
  Object.fromEntries([...schema].map(([name, type]) => [name, featureOf(type)]))
