import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Format } from "sluice"

/** Pictures in folders (a folder is a label), and a JSON file with an embedding for each file name. */
export class ImageFolderWithEmbeddings implements Format {
  readonly paths: { readonly root: string; readonly embeddings: string }

  constructor(paths: { readonly root: string; readonly embeddings: string }) {
    this.paths = paths
  }

  *normalize() {
    const embeddings: Record<string, number[]> = JSON.parse(readFileSync(this.paths.embeddings, "utf8"))
    const files = readdirSync(this.paths.root, { recursive: true }).map(String).sort()
    const rows = files.flatMap((file) => {
      const [label = "", filename = ""] = file.split("/")
      const embedding = filename.endsWith(".jpg") ? embeddings[filename] : undefined
      return embedding ? [{ file, label, filename, embedding }] : []
    })
    for (let start = 0; start < rows.length; start += 100) {
      const batch = rows.slice(start, start + 100)
      const image = batch.map(({ file }) => readFileSync(join(this.paths.root, file)))
      const of = <K extends keyof (typeof rows)[number]>(key: K) => batch.map((row) => row[key])
      yield { image, label: of("label"), embedding: of("embedding"), filename: of("filename") }
    }
  }
}
