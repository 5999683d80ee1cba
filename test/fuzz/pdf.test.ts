/** Damaged PDFs: PDFium repairs what it can, pdf.js reads what is left to it, and what is not whole is told. */
import { expect, it } from "vitest"
import { type PdfSpec, pdfOf } from "../fixtures/pdf.ts"
import { fewMutantsOf, type Good, type Mutant, mutantsOf, swappedOf, TIMEOUT } from "./mutants.ts"
import { checkRun, lostOnes, runFiles, silentOnes } from "./outcomes.ts"

const page = (text: string) => ({ text, width: 150, height: 100 })
const PAGES = [page("one"), page("two"), page("three")]

const good = (name: string, bytes: Uint8Array): Good => ({ name, extension: "pdf", bytes })

const plain = pdfOf(PAGES)

/** A change to the file, as editors append it (ISO 32000-1, 7.5.6). */
const changed = (): Uint8Array => {
  const text = Buffer.from(plain).toString("latin1")
  const [, before] = /startxref\n(\d+)/.exec(text) ?? []
  const object = "\n90 0 obj\n<< /Note (changed) >>\nendobj\n"
  const table = `xref\n90 1\n${String(text.length + 1).padStart(10, "0")} 00000 n \n`
  const trailer = `trailer\n<< /Size 91 /Root 1 0 R /Prev ${before} >>\nstartxref\n${text.length + object.length}\n%%EOF\n`
  return Buffer.from(`${text}${object}${table}${trailer}`, "latin1")
}

const linearized = (): Uint8Array => {
  const spec: PdfSpec = { statedLength: 1000 }
  return pdfOf(PAGES, { statedLength: pdfOf(PAGES, spec).length })
}

/** Pages that PDFium does not have go to pdf.js, and so do files that it cannot open. */
const lacking = pdfOf([page("one"), { ...page("two"), trap: "missing" }, page("three")])

const PLAIN = good("plain", plain)
const OTHERS = [good("changed", changed()), good("linearized", linearized())]
const NEVER_WHOLE = [good("lacking", lacking), good("secret", pdfOf(PAGES, { password: "secret" }))]

// pdf.js starts a thread for each file that PDFium cannot open: that is what takes long.
const MUTANTS = [
  ...mutantsOf(PLAIN),
  ...[...OTHERS, ...NEVER_WHOLE].flatMap(fewMutantsOf),
  ...swappedOf([PLAIN, ...OTHERS, ...NEVER_WHOLE]),
]

/** What ends as a PDF does is one: before it was changed, or but for a line break. */
const isFine = ({ kind, bytes }: Mutant): boolean =>
  kind !== "cut" || Buffer.from(bytes).toString("latin1").trimEnd().endsWith("%%EOF")

it(
  "are pages or one record each, and none that is cut off passes for whole",
  async () => {
    const ran = await runFiles("pdf", MUTANTS, { pdf: { dpi: 36 } })
    checkRun(ran, MUTANTS)
    expect(silentOnes(ran, MUTANTS, isFine)).toEqual([])
    expect(
      lostOnes(
        ran,
        MUTANTS.filter(({ from }) => !NEVER_WHOLE.includes(from)),
      ),
    ).toEqual([])
  },
  TIMEOUT,
)
