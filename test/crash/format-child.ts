/** Ingests a class of one's own, with pictures: `format-child.ts resumable|anew URI`. */
import sharp from "sharp"
import { dice } from "../../src/model/dice.ts"
import type { Format } from "../../src/model/format.ts"
import { formatPlan, run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"

const [mode, uri = ""] = process.argv.slice(2)
const BATCHES = 30
const ROWS = 3

/** Noise, so that each is a message of its own: small rows would be gathered, and reach the table all at once. */
const noise = (seed: number): Promise<Buffer> => {
  const next = dice(seed)
  const pixels = Uint8Array.from({ length: 180 * 130 * 3 }, () => next() * 256)
  return sharp(pixels, { raw: { width: 180, height: 130, channels: 3 } })
    .png()
    .toBuffer()
}

const format: Format = {
  name: "noise",
  resumable: mode === "resumable",
  schema: () => ({ image: "IMAGE" }),
  async *normalize() {
    for (let batch = 0; batch < BATCHES; batch++) {
      const rows = Array.from({ length: ROWS }, (_, row) => batch * ROWS + row)
      yield { n: rows, image: await Promise.all(rows.map(noise)) }
    }
  },
}

const summary = await run(
  formatPlan({ name: "crash", format, sink: lance({ uri, table: "t" }) }, { flushEvery: 2, commitEvery: 4 }),
  { onEvent: (event) => event.type === "committed" && console.log("committed") },
)
console.log(JSON.stringify(summary))
