/** `sluice validate FILE...` */
import { escapeText } from "../../observe/escape.ts"
import { print } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../program.ts"

export const validateCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[] },
  env: Environment,
): Promise<void> => {
  for (const { file, document } of await loadAll(files, options.set ?? [], env)) {
    print(escapeText(`${file}: pipeline ${JSON.stringify(document.name)} is valid`))
  }
}
