/**
 * The last lines of a terminal, drawn again in their place. Lines that stay are printed above them. There are no colours
 * in it, so NO_COLOR is kept to.
 */
import { cut, widthOf } from "./width.ts"

/** A terminal, a pipe or a file; standard error is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean
  /** Looked at anew for each drawing: a window can be made smaller. */
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

const DEFAULT_COLUMNS = 80

export const columnsOf = ({ columns }: ProgressOutput): number => columns || DEFAULT_COLUMNS

export interface Screen {
  /** Puts these lines in the place of those that were drawn before; what does not fit is cut. */
  draw(lines: readonly string[]): void
  /** Prints a line that stays. */
  line(text: string): void
  clear(): void
}

export const openScreen = (output: ProgressOutput): Screen => {
  let drawn: readonly string[] = []

  /**
   * Takes away what was drawn. A terminal that was made narrower since has wrapped the lines: they take more rows now,
   * or else the ends of old lines would be left behind.
   */
  const erase = (): string => {
    if (drawn.length === 0) return ""
    const columns = columnsOf(output)
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
    return `\r${rows > 1 ? `\x1b[${rows - 1}A` : ""}\x1b[J`
  }

  /** One write for all: nothing else can come in between. */
  const replace = (above: string, lines: readonly string[]): void => {
    const before = erase()
    // A line that fills its row to the end would wrap on some terminals.
    drawn = lines.map((line) => cut(line, columnsOf(output) - 1))
    output.write(`${before}${above}${drawn.join("\n")}`)
  }

  return {
    draw: (lines) => replace("", lines),
    line: (text) => replace(`${text}\n`, drawn),
    clear: () => {
      if (drawn.length > 0) replace("", [])
    },
  }
}
