/** Ten thousand text files. */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { filesPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { openBare } from "./bare.ts"
import type { Question } from "./harness.ts"
import { writeTexts } from "./inputs.ts"

const question: Question = {
  title: "text: 10,000 files in chunks of 1,000 characters",
  prepare: (folder) => writeTexts(folder, 10_000),
  variants: {
    sluice: (input, output) =>
      run(filesPlan({ name: "bench", source: files({ include: input }), sink: lance({ uri: output, table: "t" }) })),
    bare: async (input, output) => {
      const add = await openBare(output)
      let rows: { file: string; index: number; text: string }[] = []
      const commit = async (): Promise<void> => {
        await add({
          file_id: rows.map((row) => row.file),
          chunk_index: Int32Array.from(rows, (row) => row.index),
          text: rows.map((row) => row.text),
        })
        rows = []
      }
      for (const name of (await readdir(input)).sort()) {
        if (!name.endsWith(".txt")) continue
        const text = await readFile(join(input, name), "utf8")
        for (let start = 0, index = 0; start === 0 || start + 200 < text.length; start += 800, index++) {
          rows.push({ file: name, index, text: text.slice(start, start + 1000) })
          if (rows.length === 2000) await commit()
        }
      }
      if (rows.length > 0) await commit()
    },
  },
  goals: { bare: 0.8 },
}

export default question
