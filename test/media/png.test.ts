import sharp from "sharp"
import { expect, it } from "vitest"
import { checkPng } from "../../src/media/png.ts"
import { IngestError } from "../../src/model/errors.ts"
import { picture } from "../fixtures/image.ts"

it("knows a PNG of which every byte is as it was written", async () => {
  const whole = await picture(31, 20).png().toBuffer()
  expect(checkPng(whole)).toEqual({ width: 31, height: 20 })
  expect(checkPng(await sharp(whole).png({ palette: true }).toBuffer())).toEqual({ width: 31, height: 20 })
  // What follows the last chunk is not the picture's.
  expect(checkPng(Buffer.concat([whole, Buffer.from("more")]))).toEqual({ width: 31, height: 20 })

  for (let length = 0; length < whole.length; length++) {
    expect(() => checkPng(whole.subarray(0, length))).toThrow(IngestError)
  }
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at] = (flipped[at] ?? 0) ^ 0x10
    expect(() => checkPng(flipped), `byte ${at}`).toThrow(IngestError)
  }
  expect(() => checkPng(whole.subarray(0, -1))).toThrow("cut off: it ends at byte")
  expect(() => checkPng(Buffer.from("<!DOCTYPE html>".padEnd(40)))).toThrow(
    "Expected a PNG, found 40 bytes that begin with",
  )
})
