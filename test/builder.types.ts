/**
 * What the compiler knows of pipelines. The compiler itself is the test: of what is right it says nothing, and of each
 * line after a comment that expects an error it says what is quoted there (test/builder.test.ts).
 */
import {
  Coco,
  CocoPanoptic,
  type Columns,
  columns,
  type Format,
  files,
  huggingface,
  ImageFolder,
  lance,
  memory,
  Normalizer,
  Pipeline,
  parquet,
  type Sink,
} from "sluice"

const place = { uri: "./data", table: "t" }
const raw = Pipeline.make("types").from(files({ include: "./docs" }))
const docs = raw.normalize({ text: { chunkSize: 500 }, video: { segment: "30s" }, image: { thumbnails: false } })

/** The columns of all media, each with its type. */
docs.filter("types", (batch) => {
  const texts: readonly (string | null)[] = batch.column("text")
  const pages: readonly (number | null)[] = batch.column("page_index")
  const times: readonly (number | null)[] = batch.column("start_time")
  const bytes: readonly (Uint8Array | null)[] = batch.column("video_data")
  return [texts, pages, times, bytes].map(({ length }) => length > 0)
})
// @ts-expect-error "txt"
docs.filter("wrong", (batch) => batch.column("txt").map(Boolean))
// @ts-expect-error 'boolean'
docs.filter("wrong", (batch) => batch.column("text"))

/** What a map gives is there after it; what it replaces has the new type. */
const embedded = docs
  .map("embed", { embedding: "EMBEDDING(3)" }, async (batch, { signal }) => {
    signal.throwIfAborted()
    return { embedding: batch.column("text").map((text) => (text === null ? null : [text.length, 0, 0])) }
  })
  .map("measure", { text: "INT64", words: "JSON" }, (batch) => {
    const vectors: readonly (Float32Array | null)[] = batch.column("embedding")
    return { text: BigInt64Array.from(vectors, () => 1n), words: batch.column("text").map((text) => text?.split(" ")) }
  })
embedded.filter("after", (batch) => {
  const lengths: readonly (bigint | null)[] = batch.column("text")
  const json: readonly (string | null)[] = batch.column("words")
  return lengths.map((length, row) => length !== null && json[row] !== null)
})

docs
  .mapInWorkers("hash", { hash: "INT64" }, { module: import.meta.url, export: "hash" }, { revision: 2 })
  .filter("after", (batch) => batch.column("hash").map((hash: bigint | null) => hash !== 0n))
// @ts-expect-error 'WorkerCode'
docs.mapInWorkers("wrong", { hash: "INT64" }, () => ({ hash: [1] }))

// @ts-expect-error embedding: "EMBEDDING(3)"
docs.map("wrong", { embedding: "EMBEDDING(3)" }, () => ({ embeding: [[1, 2, 3]] }))
// @ts-expect-error Undeclared<"other">
docs.map("wrong", { words: "INT32" }, () => ({ words: [1], other: [2] }))
// @ts-expect-error Undeclared<"other">
docs.map("wrong", { words: "INT32" }, async () => ({ words: [1], other: [2] }))
// @ts-expect-error 'string'
docs.map("wrong", { words: "INT32" }, () => ({ words: ["one"] }))
// @ts-expect-error 'Float32Array
docs.map("wrong", { embedding: "EMBEDDING(3)" }, () => ({ embedding: new Float32Array(3) }))
// @ts-expect-error "INT"
docs.map("wrong", { words: "INT" }, () => ({ words: [1] }))
docs.map("parts", { parts: "MULTI_EMBEDDING(2)" }, (batch) => ({ parts: batch.column("text").map(() => [[1, 2]]) }))
// @ts-expect-error 'number[]'
docs.map("wrong", { parts: "MULTI_EMBEDDING(2)" }, (batch) => ({ parts: batch.column("text").map(() => [1, 2]) }))
// @ts-expect-error "EMBEDDING"
docs.map("wrong", { embedding: "EMBEDDING" }, () => ({ embedding: [[1, 2, 3]] }))
// @ts-expect-error 'batchSize'
docs.map("wrong", { words: "INT32" }, () => ({ words: [1] }), { batchSize: 8 })

/** A sink may need what there is, and settings may name it. */
docs.to(lance({ ...place, index: ["text", "filename"] }), { mode: "sync", schema: { text: "JSON" } })
docs.to(parquet(place), { flushEvery: 20, commitEvery: { rows: 100, period: 1000 } })
const mine: Sink = memory({ table: "t" })
docs.to(mine)
// @ts-expect-error "embedding"
docs.to(lance({ ...place, index: ["text", "embedding"] }))
embedded.to(lance({ ...place, index: ["embedding"] }))
const indexed = lance({ ...place, index: ["title"] })
// @ts-expect-error "title"
docs.to(indexed)
// @ts-expect-error 'txt'
docs.to(mine, { schema: { txt: "JSON" } })
// @ts-expect-error "merge"
docs.to(mine, { mode: "merge" })

/** Options of the media. */
// @ts-expect-error 'chunk_size'
raw.normalize({ text: { chunk_size: 500 } })
// @ts-expect-error 'music'
raw.normalize({ music: {} })
// @ts-expect-error 'string'
raw.normalize({ pdf: { dpi: "150" } })

/** Media of one's own have options and columns like the others. */
const essay = Normalizer.define({
  name: "essay",
  description: "Essays: a row a paragraph.",
  module: import.meta.url,
  revision: 1,
  lane: "thread",
  extensions: ["essay"],
  mimes: [],
  columns: { paragraph: "INT32", text: "TEXT" },
  options: { min_length: { type: "integer", default: 1, description: "Of a paragraph." } },
  normalize: async function* () {},
})
const essays = raw.normalize({ essay: { minLength: 5 }, text: { chunkSize: 500 } }, [essay])
essays.filter("types", (batch) => {
  const paragraphs: readonly (number | null)[] = batch.column("paragraph")
  const pages: readonly (number | null)[] = batch.column("page_index")
  return paragraphs.map((paragraph, row) => paragraph !== pages[row])
})
// @ts-expect-error 'min_length'
raw.normalize({ essay: { min_length: 5 } }, [essay])
// @ts-expect-error "verse"
essays.filter("wrong", (batch) => batch.column("verse").map(Boolean))
// @ts-expect-error "paragraph"
docs.filter("wrong", (batch) => batch.column("paragraph").map(Boolean))

/** The order of the steps. */
// @ts-expect-error 'to'
raw.to(mine)
// @ts-expect-error 'map'
Pipeline.make("types").map("early", { words: "INT32" }, () => ({ words: [1] }))
// @ts-expect-error 'normalize'
docs.normalize()

/** Columns in memory are known by their names, and by what their values cannot be without. */
const data: Columns = { anything: [1] }
const read: unknown[] = []
const points = columns({ x: [1, 2.5], label: ["a", "b"], seen: [true], read }, { schema: { x: "FLOAT64" } })
const known = Pipeline.make("points").from(points)
known.filter("types", (batch) => {
  const labels: readonly (string | null)[] = batch.column("label")
  const places: readonly (number | null)[] = batch.column("x")
  const seen: readonly (boolean | null)[] = batch.column("seen")
  return batch.column("read").map((value, row) => value === labels[row] || value === places[row] || seen[row] === true)
})
// @ts-expect-error "y"
known.filter("wrong", (batch) => batch.column("y").map(Boolean))

/** Formats that say their columns. */
Pipeline.make("coco")
  .format(new Coco({ imagesDir: "coco/val2017", boxes: true }))
  .filter("large", (batch) => batch.column("boxes").map((boxes: Float32Array | null) => boxes !== null))
  .to(lance({ ...place, index: ["filename"] }))
const coco = Pipeline.make("coco").format(new Coco({ imagesDir: "coco/val2017" }))
// @ts-expect-error "boxes"
coco.filter("large", (batch) => batch.column("boxes").map(Boolean))
const panoptic = new CocoPanoptic({ imagesDir: "a", masksDir: "b", annotations: "c" })
const masks = Pipeline.make("masks").format(panoptic)
const captioned = lance({ ...place, index: ["caption"] })
// @ts-expect-error "caption"
masks.to(captioned)

class Numbers implements Format {
  *normalize() {
    yield { n: [1, 2], square: [1, 4] }
  }
  readonly columnTypes = { n: "INT64", square: "FLOAT32" } as const
}
const numbers = Pipeline.make("numbers").format(new Numbers())
numbers.filter("odd", (batch) => batch.column("n").map((n) => n !== null && n % 2n === 1n))
// @ts-expect-error "cube"
numbers.filter("odd", (batch) => batch.column("cube").map(Boolean))

/** Where nothing is known, anything may be asked for; what stages give is known all the same. */
for (const open of [
  Pipeline.make("open").format(new ImageFolder({ dir: "flowers" })),
  Pipeline.make("open").from(huggingface({ repo: "cifar10" })),
  Pipeline.make("open").from(columns(data)),
]) {
  const after = open
    .map("a", { a: "TEXT" }, (batch) => ({ a: batch.column("anything").map(String) }))
    .map("b", { b: "BOOL" }, (batch) => ({ b: batch.column("a").map((text: string | null) => text === "") }))
  after.to(lance({ ...place, index: ["title"] }), { schema: { title: "TEXT" } })
  // @ts-expect-error 'string'
  after.filter("types", (batch) => batch.column("a").map((text: number | null) => text === 1))
}
