/** The list of categories of an annotation file, as it stands in every row. */
import { type NotedFile, readTexts } from "../../readers/byte-ranges.ts"

/** The list last read: it is the same for all images of a file. */
let last: { readonly key: string; readonly text: string } | undefined

/** The categories as JSON text, without spaces; `range` is where they are in the file. */
export const categoriesText = (file: NotedFile, range: readonly number[]): string => {
  const key = `${file.path}:${file.version}`
  if (last?.key !== key) last = { key, text: JSON.stringify(JSON.parse(readTexts(file, range)[0] ?? "[]")) }
  return last.text
}
