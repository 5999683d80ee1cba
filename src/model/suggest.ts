/** What was probably meant by a name that is not known. */

/** Steps from one word to the other: letters added, left out, replaced, or swapped with their neighbour. */
const distance = (a: string, b: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let steps = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced)
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) steps = Math.min(steps, (beforeLast[j - 2] ?? Infinity) + 1)
      row.push(steps)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

const MAX_WORD = 64

/** The known name that was probably meant. */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const plain = (word: string): string => word.toLowerCase().replaceAll(/[-_]/g, "")
  return known
    .filter(() => name.length <= MAX_WORD)
    .map((word) => ({ word, steps: distance(plain(name), plain(word)) }))
    .filter(({ word, steps }) => steps <= Math.max(1, Math.floor(word.length / 3)))
    .sort((a, b) => a.steps - b.steps)[0]?.word
}

/** `; did you mean "sink"?`, or what there is; for a name that is none of the known ones. */
export const suggest = (name: string, known: readonly string[]): string => {
  const near = nearest(name, known)
  if (near !== undefined) return `; did you mean ${JSON.stringify(near)}?`
  return known.length > 0 ? `; there are ${known.join(", ")}` : ""
}
