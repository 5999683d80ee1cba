/** Files `.example_thing`, of paragraphs: a row a paragraph. */
import { basename } from "node:path"
import { batchOf, IngestError, int32Column, Normalizer, readItem, textColumn } from "sluice"

export const exampleThing = Normalizer.define({
  name: "example_thing",
  description: "Files of paragraphs: a row a paragraph.",
  module: import.meta.url,
  /** Raise it when other rows come out for the same file: then `mode: sync` does it again. */
  revision: 1,
  /** `process`, where native code could crash or hang. */
  lane: "thread",
  extensions: ["example_thing"],
  mimes: [],
  columns: { filename: "TEXT", paragraph: "INT32", text: "TEXT" },
  options: {
    min_length: { type: "integer", min: 0, default: 1, description: "Shorter paragraphs are left out." },
  },
  // Load decoders in here, with import(): the module itself is loaded by every command.
  normalize: async function* (item, options, context) {
    const bytes = readItem(item, context.maxBytes)
    let text: string
    try {
      text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    } catch (cause) {
      throw new IngestError("expected text in UTF-8, found bytes that are none", { cause })
    }
    const paragraphs = text.split(/\n\s*\n/).filter(({ length }) => length >= Number(options.min_length))
    if (paragraphs.length === 0) return
    yield {
      batch: batchOf({
        filename: textColumn(paragraphs.map(() => basename(item.uri))),
        paragraph: int32Column(paragraphs.map((_, index) => index)),
        text: textColumn(paragraphs),
      }),
    }
  },
})
