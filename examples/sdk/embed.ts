/** Stands for the model that makes vectors of texts: words with the same first letters point the same way. */

const WIDTH = 64

/** Direction of a word: of its first four letters, so that `database` and `databases` are one. */
const slotOf = (word: string): number =>
  [...word.slice(0, 4)].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % WIDTH, 7)

export const embed = (text: string): number[] => {
  const vector = new Array<number>(WIDTH).fill(0.01)
  for (const word of text.toLowerCase().match(/\p{L}+/gu) ?? []) vector[slotOf(word)] = (vector[slotOf(word)] ?? 0) + 1
  const length = Math.hypot(...vector)
  return vector.map((value) => value / length)
}
