/** The two ways out: data on standard output, everything else on standard error. */
import { escapeLines } from "../observe/escape.ts"

/** Data. The caller has made it fit for a terminal. */
export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Everything else; what of it came from outside cannot act upon the terminal. */
export const say = (text: string): void => {
  process.stderr.write(`${escapeLines(text)}\n`)
}
