/** The sources that a document can name by `type`. A new one is one entry here. */
import type { SourceComponent } from "../model/source.ts"
import { filesSource } from "./files.ts"
import { huggingfaceSource } from "./huggingface.ts"

export const SOURCES: readonly SourceComponent[] = [filesSource, huggingfaceSource]
