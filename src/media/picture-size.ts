/** Width and height of a picture as it is shown. */
import { type ImageHeader, readImageHeader } from "./imageheader.ts"
import { loadSharp } from "./sharp.ts"

export interface PictureSize {
  readonly width: number
  readonly height: number
}

/** A size that the header gives, of a format that has no orientation: what sharp need not be asked for. */
const isKnown = ({ format, width, height }: ImageHeader): boolean =>
  (format === "BMP" || format === "GIF") && width !== undefined && height !== undefined

/**
 * In pixels, with EXIF orientation applied: what `cv2.imread` and the browsers show, and what annotations are drawn on.
 *
 * @throws {IngestError} when the bytes are no picture, or one that is cut off.
 */
export const pictureSize = async (bytes: Uint8Array): Promise<PictureSize> => {
  const header = readImageHeader(bytes)
  if (isKnown(header)) return { width: header.width ?? 0, height: header.height ?? 0 }
  const sharp = await loadSharp()
  const { autoOrient } = await sharp(bytes).metadata()
  return { width: autoOrient.width, height: autoOrient.height }
}
