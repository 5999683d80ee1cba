/** A folder that changes: files of it are rewritten, vanish and come, the same way for the same seed. */
import { readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { dice } from "../../src/model/dice.ts"
import { words, writeSeededFolder } from "../fixtures/folder.ts"

export const makeFolder = writeSeededFolder

/** What may vanish is not less than this, so that the folder stays as large as it was. */
const LEAST = 25

export const changeFolder = async (folder: string, seed: number): Promise<void> => {
  const next = dice(seed, "change")
  const texts = join(folder, "texts")
  const names = (await readdir(texts)).sort()
  const any = (): string => join(texts, names[Math.floor(next() * names.length)] ?? "none")
  for (let i = 0; i < 3; i++) await writeFile(any(), words(20 + Math.floor(next() * 900), next))
  if (names.length > LEAST) await rm(any(), { force: true })
  else await writeFile(join(texts, `added ${seed}.txt`), words(300, next))
}
