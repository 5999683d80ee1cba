/**
 * What kind of dataset files are: by their most common extension, as `datasets` tells it
 * (`infer_module_for_data_files_list` in `src/datasets/load.py`).
 */

/** Kinds of files whose rows Sluice reads. */
export type Builder = "parquet" | "csv" | "json" | "text" | "webdataset" | Folder
/** Kinds where a file is a row. */
export type Folder = "imagefolder" | "audiofolder" | "videofolder" | "pdffolder" | "meshfolder" | "niftifolder"
/** Kinds that `datasets` knows and Sluice does not read. */
export type Unread = "arrow" | "lance" | "xml" | "hdf5" | "eval"

const EXTENSIONS: Readonly<Record<Builder | Unread, string>> = {
  csv: "csv tsv",
  json: "json jsonl ndjson",
  parquet: "parquet geoparquet gpq",
  arrow: "arrow",
  lance: "lance",
  text: "txt",
  webdataset: "tar",
  xml: "xml",
  hdf5: "h5 hdf5",
  eval: "eval",
  imagefolder:
    "blp bmp dib bufr cur pcx dcx dds ps eps fit fits fli flc ftc ftu gbr gif grib png apng jp2 j2k jpc jpf jpx j2c " +
    "icns ico im iim tif tiff jfif jpe jpg jpeg msp pcd pxr pbm pgm ppm pnm psd bw rgb rgba sgi ras tga icb vda vst " +
    "webp wmf emf xbm xpm avif",
  audiofolder:
    "aiff au avr caf flac htk svx mat4 mat5 mpc2k ogg paf pvf raw rf64 sd2 sds ircam voc w64 wav nist wavex wve xi " +
    "mp3 opus",
  videofolder: "mkv mp4 avi mpeg mov webm",
  pdffolder: "pdf",
  meshfolder: "glb ply stl",
  niftifolder: "nii",
}

const BUILDERS = new Map(
  Object.entries(EXTENSIONS).flatMap(([builder, extensions]) =>
    extensions.split(" ").map((extension) => [extension, builder as Builder | Unread] as const),
  ),
)

const UNREAD: readonly string[] = ["arrow", "lance", "xml", "hdf5", "eval"] satisfies Unread[]

export const isReadable = (builder: Builder | Unread): builder is Builder => !UNREAD.includes(builder)
export const isFolder = (builder: Builder | Unread): builder is Folder => builder.endsWith("folder")

const METADATA = new Set(["metadata.csv", "metadata.jsonl", "metadata.parquet"])

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/** A file that tells about others: of pictures, sounds, ... */
export const isMetadata = (path: string): boolean => METADATA.has(nameOf(path))

/** All of them count: `x.json.gz` is one of `json` and one of `gz`. */
const suffixes = (path: string): string[] => nameOf(path).toLowerCase().split(".").slice(1)

/** Whether a file can be data at all. */
export const isData = (path: string): boolean =>
  suffixes(path).some((suffix) => BUILDERS.has(suffix) || suffix === "zip")

/** At a draw, the first of these, then what comes last in the alphabet. */
const FAVOURITES = ["parquet", "lance", "arrow", "jsonl", "json", "csv"]

/** The most common kind among files; `zip` when archives are more common than any; undefined when none is known. */
export const builderOf = (paths: readonly string[]): Builder | Unread | "zip" | undefined => {
  const counts = new Map<string, number>()
  const about = new Map<string, number>()
  for (const path of paths) {
    const target = isMetadata(path) ? about : counts
    for (const suffix of suffixes(path)) target.set(suffix, (target.get(suffix) ?? 0) + 1)
  }
  const rank = (suffix: string): number =>
    (FAVOURITES.indexOf(suffix) + FAVOURITES.length + 1) % (FAVOURITES.length + 1)
  const sorted = (found: ReadonlyMap<string, number>): string[] =>
    [...found]
      .sort(([a, countA], [b, countB]) => countB - countA || rank(a) - rank(b) || (a < b ? 1 : -1))
      .map(([suffix]) => suffix)
  // Metadata counts last.
  for (const suffix of [...sorted(counts), ...sorted(about)]) {
    if (suffix === "zip") return "zip"
    const builder = BUILDERS.get(suffix)
    if (builder) return builder
  }
  return undefined
}

/** Whether a file belongs to a dataset of the kind. */
export const belongsTo = (builder: Builder | Unread, path: string): boolean =>
  suffixes(path).some((suffix) => BUILDERS.get(suffix) === builder || suffix === "zip") ||
  (isFolder(builder) && isMetadata(path))
