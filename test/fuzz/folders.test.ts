/** YOLO datasets and image folders with damaged labels, descriptions and metadata. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { ImageFolder } from "../../src/formats/image-folder/index.ts"
import { Yolo } from "../../src/formats/yolo/index.ts"
import { datasetOf } from "../fixtures/dataset.ts"
import { writeParquet } from "../fixtures/duckdb.ts"
import { picture } from "../fixtures/image.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { fewMutantsOf, type Good, type Mutant, mutantsOf, TIMEOUT } from "./mutants.ts"
import { checkRun, linesOf, type Outcome, type Ran, renamed, runEach, runFormat, silentOnes } from "./outcomes.ts"

const jpeg = await picture(40, 40).jpeg().toBuffer()

const text = (name: string, extension: string, content: string): Good => ({
  name,
  extension,
  bytes: Buffer.from(content),
})

const LABELS = "0 0.5 0.5 0.25 0.25\n1 0.1 0.1 0.9 0.1 0.5 0.75\n".repeat(3)

it(
  "label files have an object a line, or the picture has a record",
  async () => {
    const mutants = mutantsOf(text("labels", "txt", LABELS))
    const pairs = mutants.flatMap(({ name, bytes }) => [
      [name, bytes] as const,
      [name.replace("txt", "jpg"), jpeg] as const,
    ])
    const dir = await datasetOf({ ...Object.fromEntries(pairs), "data.yaml": "names: [wheel, gate]" })
    const ran = await runFormat("labels", new Yolo({ dir, thumbnails: false }))
    const byLabels = renamed(ran, (item) => item.replace(/jpg$/, "txt"))
    checkRun(byLabels, mutants)
    // What a text that is cut off still is, are labels as well.
    const isFine = (mutant: Mutant, { rows }: Outcome) =>
      mutant.kind !== "cut" || rows[0]?.num_objects === linesOf(mutant).length
    expect(silentOnes(byLabels, mutants, isFine)).toEqual([])
  },
  TIMEOUT,
)

it(
  "a damaged data.yaml is refused, or is another one",
  async () => {
    const dir = await datasetOf({ "images/a.jpg": jpeg, "labels/a.txt": LABELS })
    const yaml = 'train: images/train\nval: images/val\nnc: 2\nnames:\n  0: wheel\n  1: "a gate"\n'
    const path = join(dir, "data.yaml")
    const format = new Yolo({ dir, thumbnails: false })
    expect(await runEach("data.yaml", fewMutantsOf(text("data", "yaml", yaml)), path, format, () => true)).toEqual([])
  },
  TIMEOUT,
)

const ROWS = [0, 1, 2, 3].map((label) => ({ file_name: `${label}.jpg`, label, note: `note ${label}` }))

const metadataOf = async (extension: string): Promise<Good> => {
  if (extension === "parquet") {
    const path = join(await tempFolder(), "metadata.parquet")
    await writeParquet(path, ROWS.length, "i || '.jpg' AS file_name, i AS label, 'note ' || i AS note")
    return { name: "metadata", extension, bytes: await readFile(path) }
  }
  const lines = ROWS.map((row) => (extension === "csv" ? Object.values(row).join(",") : JSON.stringify(row)))
  return text(
    "metadata",
    extension,
    [...(extension === "csv" ? ["file_name,label,note"] : []), ...lines, ""].join("\n"),
  )
}

it.each(["csv", "jsonl", "parquet"])(
  "damaged metadata.%s is refused, or tells of other pictures",
  async (extension) => {
    const dir = await datasetOf(Object.fromEntries(ROWS.map(({ file_name }) => [file_name, jpeg])))
    const path = join(dir, `metadata.${extension}`)
    // What a text that is cut off still is, is metadata of fewer pictures.
    const isFine = (mutant: Mutant, { summary }: Ran) =>
      mutant.kind !== "cut" || (extension !== "parquet" && summary.items.listed <= linesOf(mutant).length)
    const mutants = mutantsOf(await metadataOf(extension))
    expect(
      await runEach(`metadata.${extension}`, mutants, path, new ImageFolder({ dir, thumbnails: false }), isFine),
    ).toEqual([])
  },
  TIMEOUT,
)
