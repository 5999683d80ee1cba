import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Format } from "sluice"

/** A CSV file (image_file,label,confidence) of which one column has the names of pictures. */
export class CsvWithImages implements Format {
  readonly paths: { readonly csv: string; readonly images: string }

  constructor(paths: { readonly csv: string; readonly images: string }) {
    this.paths = paths
  }

  schema() {
    return { image: "IMAGE" }
  }

  *normalize() {
    const { csv, images } = this.paths
    const [, ...lines] = readFileSync(csv, "utf8").trim().split("\n")
    const rows = lines.map((line) => line.split(",")).filter(([file]) => file && existsSync(join(images, file)))
    for (let start = 0; start < rows.length; start += 100) {
      const batch = rows.slice(start, start + 100)
      const image = batch.map(([file = ""]) => readFileSync(join(images, file)))
      yield { image, label: batch.map((row) => row[1]), confidence: batch.map((row) => Number(row[2])) }
    }
  }
}
