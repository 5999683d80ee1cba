/** Damaged texts in several encodings: what is cut off is a shorter text, and bytes that mean nothing are told. */
import { expect, it } from "vitest"
import { type Good, type Mutant, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, lostOnes, type Outcome, runFiles, silentOnes } from "./outcomes.ts"

const TEXT = Array.from({ length: 40 }, (_, line) => `Zeile ${line}: Füße, naïve façade, Ærø, 100 % größer.`).join("\n")
const CJK = "語彙の水門と川の流れ、橋の上の車輪。\n".repeat(40)

type Encode = (text: string) => Buffer

const utf8: Encode = (text) => Buffer.from(text)
const latin1: Encode = (text) => Buffer.from(text, "latin1")
const utf16le: Encode = (text) => Buffer.from(text, "utf16le")
const utf16be: Encode = (text) => utf16le(text).swap16()
const utf32le: Encode = (text) => Buffer.from(Uint32Array.from(text, (char) => char.codePointAt(0) ?? 0).buffer)
const utf32be: Encode = (text) => utf32le(text).swap32()

interface Text extends Good {
  readonly encode: Encode
  readonly mark: string
}

const text = (name: string, encode: Encode, content: string, mark = "", extension = "txt"): Text => ({
  name,
  extension,
  encode,
  mark,
  bytes: encode(mark + content),
})

const MARK = "\uFEFF"

const GOODS = [
  text("ascii", utf8, "A plain line of text, and another one.\n".repeat(60)),
  text("utf-8", utf8, CJK, "", "md"),
  text("utf-8-mark", utf8, TEXT, MARK),
  text("utf-16le", utf16le, TEXT, MARK),
  text("utf-16be", utf16be, TEXT, MARK),
  text("utf-16-no-mark", utf16le, TEXT),
  text("utf-32le", utf32le, TEXT, MARK),
  text("utf-32be", utf32be, TEXT, MARK),
  text("latin1", latin1, TEXT, "", "log"),
  text("json", utf8, JSON.stringify({ text: TEXT }), "", "json"),
]

const MUTANTS = [...GOODS.flatMap((one) => mutantsOf(one)), ...swappedOf(GOODS)]

const SIZE = 100
const OVERLAP = 20

/** Of fewer bytes nobody can tell in which encoding they are. */
const TELLING = 32

/** The windows are the text of exactly these bytes. */
const isItsText = ({ kind, bytes, from }: Mutant, { rows }: Outcome): boolean => {
  if (kind !== "cut" || bytes.length < TELLING) return true
  const { encode, mark } = from as Text
  const windows = rows.map(({ text }, index) => [...String(text)].slice(index === 0 ? 0 : OVERLAP).join(""))
  return encode(mark + windows.join("")).equals(bytes)
}

it(
  "are the text as far as it goes",
  async () => {
    const ran = await runFiles("text", MUTANTS, { text: { chunk_size: SIZE, chunk_overlap: OVERLAP } })
    checkRun(ran, MUTANTS)
    expect(ran.summary.items.failed).toBe(0)
    expect(silentOnes(ran, MUTANTS, isItsText)).toEqual([])
    expect(lostOnes(ran, MUTANTS)).toEqual([])
  },
  TIMEOUT,
)
