/**
 * Text from outside (file names, messages about them, contents) on its way to a terminal.
 *
 * A control character in a file name could move the cursor, set the window's title or hide what was printed before; a
 * bidirectional mark could show a name backwards. They are shown as `\x1b` or `\u202e` instead.
 */

/** C0, DEL and C1 controls; line and paragraph separators; marks that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const shown = (char: string): string => {
  if (char === "\n") return "\\n"
  if (char === "\t") return "\\t"
  const code = char.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`
}

/** On one line, without anything that a terminal would act upon. */
export const escapeText = (text: string): string => text.replace(UNSAFE, shown)

/** The same for text of several lines that is ours: its line breaks stay. */
export const escapeLines = (text: string): string => text.split("\n").map(escapeText).join("\n")

/** JSON of the same value: in JSON these characters can only be inside of strings, where an escape means the same. */
export const escapeJson = (json: string): string =>
  json.replace(UNSAFE, (char) => (char === "\n" ? char : `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`))
