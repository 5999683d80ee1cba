/** What a video may ask of us at most. Files come from anywhere; these keep a crafted one from taking the machine. */
import { IngestError } from "../../model/errors.ts"
import { MAX_PIXELS } from "../thumbnails.ts"
import { tooManySamples } from "./structure.ts"

/** Pixels of one side of a frame; one frame has at most `MAX_PIXELS` of them. */
const MAX_SIDE = 16_384

/** Streams that a file may declare. */
export const MAX_STREAMS = 64

/**
 * FFmpeg's names of the containers that are read. Playlists and scripts (hls, dash, concat, ...), which would make it
 * open other files, are not among them.
 */
export const DEMUXERS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg"

/** Files are read from the disk and from nowhere else. */
export const PROTOCOLS = "file"

export { MAX_PIXELS }

/** @throws {IngestError} for a file that is not to be opened at all. */
export const checkSamples = (path: string): void => {
  const problem = tooManySamples(path)
  if (problem !== undefined) throw new IngestError(`the video cannot be read: ${problem}`)
}

/** @throws {IngestError} for frames too large to be decoded. */
export const checkFrameSize = (width: number, height: number): void => {
  if (width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new IngestError(
      `the video's frames are too large: ${width} x ${height} pixels; at most ${MAX_SIDE} a side and ${MAX_PIXELS} in all are read`,
    )
  }
}
