/** What a video is taken apart into. */
import type { Pixels } from "../thumbnails.ts"

export interface Segment {
  /** Seconds from the start of the video. */
  readonly start: number
  /** Seconds at which its last picture ends. */
  readonly end: number
  /** A whole video file of its own. */
  readonly data: Uint8Array
  /** The picture that it begins with, upright, or an encoded image of it; absent where it does not decode. */
  readonly picture?: Pixels | Uint8Array
}
