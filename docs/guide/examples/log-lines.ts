import { createReadStream } from "node:fs"
import { basename } from "node:path"
import { createInterface } from "node:readline"
import type { Format } from "sluice"

/** The lines of a log of any size. They never change, so a run that was killed goes on where it was. */
export class LogLines implements Format {
  readonly path: string
  readonly name: string
  readonly resumable = true

  constructor(path: string) {
    this.path = path
    this.name = `log ${basename(path)}`
  }

  async *normalize() {
    let line: string[] = []
    for await (const next of createInterface(createReadStream(this.path))) {
      line.push(next)
      if (line.length < 1000) continue
      yield { line }
      line = []
    }
    yield { line }
  }
}
