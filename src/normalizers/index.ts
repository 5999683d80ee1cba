/** The media that files can be. The order is that of the reference page; no two take the same extension. */
import type { Normalizer } from "../model/normalizer.ts"
import { image } from "./image.ts"
import { other } from "./other.ts"
import { pdf } from "./pdf.ts"
import { text } from "./text.ts"
import { video } from "./video.ts"

export const NORMALIZERS: readonly Normalizer[] = [text, image, pdf, video, other]
