import { describe, expect, it } from "vitest"
import { fileId, rowId } from "../../src/model/ids.ts"
import { other } from "../../src/normalizers/other.ts"
import { fileItem, run, values } from "../fixtures/fileitem.ts"

describe("other", () => {
  it.each([0, 100, 300_000])("is one row with the whole file of %i bytes, stored out of line", async (size) => {
    const item = await fileItem("Data.bin", Buffer.alloc(size, "0123456789"))
    const { rows } = await run(other.normalize, item)
    const batches = rows.map(({ batch }) => batch)
    expect(batches.map((batch) => [...batch.columns.keys()])).toEqual([Object.keys(other.columns)])
    expect(batches[0]?.columns.get("data")?.type).toEqual({ name: "BINARY", blob: true })
    expect(values(batches, "data")).toEqual([new Uint8Array(Buffer.alloc(size, "0123456789"))])
    expect(values(batches, "filename")).toEqual(["Data.bin"])
    expect(values(batches, "id")).toEqual([rowId(item, 0)])
    expect(values(batches, "file_id")).toEqual([fileId(item)])
  })

  it("refuses a file with more bytes than an item may have", async () => {
    const item = await fileItem("data.bin", Buffer.alloc(5000))
    await expect(run(other.normalize, item, {}, { maxBytes: 4096 })).rejects.toThrow(
      "The file has 4.9 KiB; an item of this kind is held in memory whole, and may have at most 4.0 KiB",
    )
  })
})
