/** A file of lines `name,amount`: a row a line. */
import { createReadStream } from "node:fs"
import { resolve } from "node:path"
import { createInterface } from "node:readline"
import { type Columns, Format, IngestError } from "sluice"

export interface ExampleThingOptions {
  readonly path: string
}

const ROWS_PER_BATCH = 500

export class ExampleThing implements Format {
  readonly columnTypes = { name: "TEXT", amount: "FLOAT64" } as const
  /** What is ingested under a name is ingested once, and goes on after a kill: the rows always come in one order. */
  readonly name: string
  readonly resumable = true
  readonly #path: string

  constructor({ path }: ExampleThingOptions) {
    this.#path = path
    this.name = `example_thing:${resolve(path)}`
  }

  async *normalize(): AsyncGenerator<Columns> {
    let names: string[] = []
    let amounts: number[] = []
    let number = 0
    for await (const line of createInterface({ input: createReadStream(this.#path) })) {
      number++
      const [name, amount = "", ...more] = line.split(",")
      if (!name || amount === "" || more.length > 0 || Number.isNaN(Number(amount))) {
        throw new IngestError(`${this.#path}:${number}: expected name,amount, found ${JSON.stringify(line)}`)
      }
      names.push(name)
      amounts.push(Number(amount))
      if (names.length < ROWS_PER_BATCH) continue
      yield { name: names, amount: amounts }
      names = []
      amounts = []
    }
    if (names.length > 0) yield { name: names, amount: amounts }
  }
}

export const exampleThingFormat = Format.define({
  type: "example_thing",
  description: "A file of lines `name,amount`.",
  fields: { path: { type: "text", description: "The file; a relative path is relative to the working directory." } },
  make: (options) => new ExampleThing(options),
})
