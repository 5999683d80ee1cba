/**
 * The words of a text, as the store's index makes them: runs of letters and digits, in lower case, accents left out,
 * shorter than 40 bytes.
 */
import { type Column, isNull } from "../../model/column.ts"
import { lancedb } from "../../store/database.ts"

/** Longer ones are no words, but encoded data. */
const MAX_BYTES = 40
const RUN = /[\p{Alphabetic}\p{N}]+/gu
/** Only characters of these scripts become others than their lower case. */
const FOLDABLE = /[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}\p{Script=Greek}\p{Script=Arabic}]/u
const LAST_FOLDABLE = 0x1fbff

const SETTINGS = { baseTokenizer: "simple", stem: false, removeStopWords: false } as const

/** The words of what is searched for, each as often as it stands there. */
export const wordsOf = async (text: string): Promise<string[]> =>
  (await lancedb().tokenize(text, SETTINGS)).map((token) => token.text)

type Fold = (character: string) => string

let learned: Promise<Fold> | undefined

/**
 * What each character becomes. The store is asked for all that may become another one than its lower case, so that a
 * search without an index finds the same as one with it.
 */
const learn = async (): Promise<Fold> => {
  const characters: string[] = []
  for (let code = 0x80; code <= LAST_FOLDABLE; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const character = String.fromCodePoint(code)
    if (FOLDABLE.test(character) && character.search(RUN) === 0) characters.push(character)
  }
  const folds = new Map<string, string>()
  // Between two letters each is a word for sure, and exactly one.
  const folded = await wordsOf(characters.map((character) => `a${character}b`).join(" "))
  characters.forEach((character, index) => {
    const word = folded[index]?.slice(1, -1)
    if (word !== undefined && word !== character.toLowerCase()) folds.set(character, word)
  })
  return (character) => folds.get(character) ?? character.toLowerCase()
}

const foldOf = (): Promise<Fold> => {
  learned ??= learn()
  return learned
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** For each byte of ASCII what it is in a word: itself in lower case; 0 for what no word has. */
const ASCII = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\da-z]/i.test(String.fromCharCode(code)) ? String.fromCharCode(code).toLowerCase().charCodeAt(0) : 0,
)

/** Counts words in the rows of TEXT columns. */
export interface WordCounter {
  /**
   * Adds up in `counts` how often each term is in the row.
   *
   * @returns the number of all words that the row has.
   */
  count(column: Column, row: number, counts: Uint32Array): number
}

/** A counter of the terms, which are words as {@link wordsOf} gives them, all different. */
export const wordCounter = async (terms: readonly string[]): Promise<WordCounter> => {
  const fold = await foldOf()
  const index = new Map(terms.map((term, position) => [term, position]))
  const bytes = terms.map((term) => encoder.encode(term))

  /** The term that stands in the bytes, which are ASCII; -1 for none of them. */
  const termAt = (text: Uint8Array, start: number, end: number): number => {
    for (let term = 0; term < bytes.length; term++) {
      const wanted = bytes[term] as Uint8Array
      if (wanted.length !== end - start) continue
      let same = 0
      while (same < wanted.length && ASCII[text[start + same] ?? 0] === wanted[same]) same++
      if (same === wanted.length) return term
    }
    return -1
  }

  const countText = (text: string, counts: Uint32Array): number => {
    let words = 0
    for (const [run] of text.matchAll(RUN)) {
      if (Buffer.byteLength(run) >= MAX_BYTES) continue
      words++
      let word = ""
      for (const character of run) word += fold(character)
      const term = index.get(word)
      if (term !== undefined) counts[term] = (counts[term] ?? 0) + 1
    }
    return words
  }

  return {
    count: (column, row, counts) => {
      if (isNull(column, row)) return 0
      const text = column.values as Uint8Array
      const from = column.offsets?.[row] ?? 0
      const to = column.offsets?.[row + 1] ?? 0
      for (let at = from; at < to; at++) {
        if ((text[at] ?? 0) > 127) return countText(decoder.decode(text.subarray(from, to)), counts)
      }
      let words = 0
      for (let at = from; at < to; at++) {
        if (ASCII[text[at] ?? 0] === 0) continue
        const start = at
        while (at < to && ASCII[text[at] ?? 0] !== 0) at++
        if (at - start >= MAX_BYTES) continue
        words++
        const term = termAt(text, start, at)
        if (term >= 0) counts[term] = (counts[term] ?? 0) + 1
      }
      return words
    },
  }
}
