/** Small files that ask for a lot: of memory, or of levels that somebody follows by recursion. */
import { crc32, createDeflate, createGzip } from "node:zlib"
import { encode, i32, i64, list, struct, text } from "../../src/parquet/thrift.ts"
import { blackPng } from "../fixtures/image.ts"

/** `size` bytes of `byte`, packed. */
const packed = async (packer: ReturnType<typeof createGzip>, size: number, byte: number): Promise<Buffer> => {
  const parts: Buffer[] = []
  const block = Buffer.alloc(1 << 20, byte)
  const feed = async (): Promise<void> => {
    for (let left = size; left > 0; left -= block.length) {
      if (!packer.write(block)) await new Promise((resolve) => packer.once("drain", resolve))
    }
    packer.end()
  }
  const feeding = feed()
  for await (const part of packer) parts.push(part as Buffer)
  await feeding
  return Buffer.concat(parts)
}

const SIDE = 16_384

/** All pixels of it are wanted at once, and a run of nothing is all that there is. */
const runsOfNothing = (): Buffer => {
  const file = Buffer.alloc(66)
  file.write("BM")
  file.writeUInt32LE(62, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(SIDE, 18)
  file.writeInt32LE(SIDE, 22)
  file.writeUInt16LE(8, 28)
  file.writeUInt32LE(1, 30)
  file.writeUInt32LE(4, 34)
  return file
}

/** A picture of which the header says that it is interlaced and has 16 bits in four channels. */
const interlaced = (png: Uint8Array): Buffer => {
  const file = Buffer.from(png)
  file.set([16, 6, 0, 0, 1], 24)
  file.writeUInt32BE(crc32(file.subarray(12, 29)), 29)
  return file
}

/** A page whose content is half a gigabyte of spaces. */
const spaces = async (): Promise<Buffer> => {
  const content = await packed(createDeflate({ level: 1 }), 512 << 20, 0x20)
  const parts = [Buffer.from("%PDF-1.7\n")]
  const offsets: number[] = []
  let length = 9
  const add = (...bodies: readonly (string | Buffer)[]): void => {
    offsets.push(length)
    const object = Buffer.concat(
      [`${offsets.length} 0 obj\n`, ...bodies, "\nendobj\n"].map((part) => Buffer.from(part as string)),
    )
    parts.push(object)
    length += object.length
  }
  add("<< /Type /Catalog /Pages 2 0 R >>")
  add("<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
  add("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 144 144] /Contents 4 0 R >>")
  add(`<< /Filter /FlateDecode /Length ${content.length} >>\nstream\n`, content, "\nendstream")
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("")
  parts.push(
    Buffer.from(
      `xref\n0 5\n0000000000 65535 f \n${table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n${length}\n%%EOF\n`,
    ),
  )
  return Buffer.concat(parts)
}

/** A video that says of itself to have sixty million pictures, of a byte each. */
export const manySamples = (mp4: Uint8Array): Buffer => {
  const file = Buffer.from(mp4)
  const count = 60_000_000
  const fill = (box: string, ...values: readonly number[]): void => {
    for (const [index, value] of values.entries()) file.writeUInt32BE(value, file.indexOf(box) + 8 + 4 * index)
  }
  fill("stsz", 1, count)
  fill("stts", 1, count, 1)
  fill("stsc", 1, 1, count, 1)
  return file
}

/** The files that are read by their medium, each with what its record must say; undefined: it is read. */
export const mediaBombs = async (
  mp4: Uint8Array,
): Promise<Readonly<Record<string, readonly [Uint8Array, RegExp | undefined]>>> => {
  const black = await blackPng(SIDE, SIDE)
  return {
    "black.png": [black, undefined],
    "interlaced.png": [interlaced(black), /16384 x 16384 pixels/],
    "runs.bmp": [runsOfNothing(), /16384 x 16384 pixels/],
    "spaces.pdf": [await spaces(), /more memory than it may take/],
    "samples.mp4": [manySamples(mp4), /60000000 samples/],
  }
}

const LEVELS = 100_000

/** A column of groups in groups. */
const deepParquet = (): Buffer => {
  const element = (name: string, children: number) =>
    struct(
      [1, children === 0 ? i32(1) : undefined],
      [3, i32(1)],
      [4, text(name)],
      [5, children > 0 ? i32(children) : undefined],
    )
  const groups = Array.from({ length: LEVELS }, () => element("g", 1))
  const schema = list([element("root", 1), ...groups, element("leaf", 0)])
  const footer = encode(struct([1, i32(1)], [2, schema], [3, i64(0)], [4, list([])]))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(footer.length)
  return Buffer.concat([Buffer.from("PAR1"), footer, length, Buffer.from("PAR1")])
}

/** The same for tables. */
export const tableBombs = async (): Promise<Readonly<Record<string, readonly [Uint8Array, RegExp | undefined]>>> => ({
  "deep.jsonl": [
    Buffer.from(`{"a":1}\n{"a":${'{"a":'.repeat(LEVELS)}1${"}".repeat(LEVELS)}}\n`),
    /line 2: expected at most 256 levels/,
  ],
  "deep.parquet": [deepParquet(), /at most 256 levels/],
  "wide.csv.gz": [await packed(createGzip({ level: 1 }), 64 << 20, 0x61), /longer than 16 MiB/],
  "wide.jsonl.gz": [await packed(createGzip({ level: 1 }), 64 << 20, 0x61), /./],
})
