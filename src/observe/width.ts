/** How much room text takes on a terminal. */

const segments = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** What East Asian fonts draw over two columns, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)

const columnsOf = (grapheme: string): number => (WIDE.test(grapheme) ? 2 : 1)

export const widthOf = (text: string): number => {
  if (isPlain(text)) return text.length
  let width = 0
  for (const { segment } of segments.segment(text)) width += columnsOf(segment)
  return width
}

/** As much of the text as there is room for. */
export const cut = (text: string, columns: number): string => {
  if (isPlain(text)) return text.slice(0, Math.max(columns, 0))
  let width = 0
  let kept = ""
  for (const { segment } of segments.segment(text)) {
    width += columnsOf(segment)
    if (width > columns) break
    kept += segment
  }
  return kept
}
