/** Takes a video apart with the FFmpeg that node-av brings. Importing this module loads it. */
import type { NormalizeContext } from "../../model/normalizer.ts"
import { copySegments } from "./av-copy.ts"
import { encodeSegments } from "./av-encode.ts"
import { openInput } from "./av-input.ts"
import { newMuxing } from "./av-output.ts"
import type { Segment } from "./segment.ts"

export async function* avSegments(path: string, length: number, context: NormalizeContext): AsyncGenerator<Segment> {
  const input = await openInput(path)
  try {
    const muxing = newMuxing(input, path, context.tempDir)
    const rest = yield* copySegments(input, muxing, length, context)
    if (!rest) {
      const missing = input.shortfall()
      if (missing) context.partial(missing)
      return
    }
    const again = await openInput(path, rest.passOver)
    try {
      yield* encodeSegments(again, muxing, length, rest, context)
      const missing = again.shortfall()
      if (missing) context.partial(missing)
    } finally {
      again.close()
    }
  } finally {
    input.close()
  }
}
