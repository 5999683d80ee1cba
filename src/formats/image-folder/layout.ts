/** What the folders of an image folder mean: splits, classes, both or neither. */
import { splitOfName } from "../pictures.ts"

export interface Place {
  readonly split?: string
  /** The class, by its name. */
  readonly label?: string
}

export interface Layout {
  /** The names of all classes, sorted by code units; empty: pictures have no labels. */
  readonly classes: readonly string[]
  /** The topmost folders are splits. */
  readonly splits: boolean
  /** What a picture's folder says of it. */
  readonly place: (folder: string) => Place
  /** Why there are no classes although there are folders. */
  readonly note?: string
}

const partsOf = (folder: string): readonly string[] => (folder === "" ? [] : folder.split("/"))

/**
 * The layout of pictures that lie in the given folders (relative to the dataset, with `/`; `""` is the dataset itself).
 *
 * The topmost folders are splits when each of them has the name of one (`train`, `val2017`, ...): beside `car` and `bus`,
 * `train` is a class. A picture's class is the folder that it is in, when there are several and all are equally deep, as
 * on the Hugging Face Hub; pictures above them have none.
 */
export const layoutOf = (folders: readonly string[], classNames?: readonly string[]): Layout => {
  const tops = new Set(folders.flatMap((folder) => partsOf(folder).slice(0, 1)))
  const splits = tops.size > 0 && [...tops].every((top) => splitOfName(top) !== undefined)
  const below = (folder: string): readonly string[] => partsOf(folder).slice(splits ? 1 : 0)
  const place = (hasLabels: boolean) => (folder: string) => {
    const split = splits ? splitOfName(partsOf(folder)[0] ?? "") : undefined
    const label = hasLabels ? below(folder).at(-1) : undefined
    return { ...(split !== undefined && { split }), ...(label !== undefined && { label }) }
  }
  if (classNames) return { classes: classNames, splits, place: place(true) }

  const classFolders = folders.filter((folder) => below(folder).length > 0)
  const [first] = classFolders
  const other = classFolders.find((folder) => below(folder).length !== below(first ?? "").length)
  if (first !== undefined && other !== undefined) {
    const note = `No labels: pictures lie at different depths, such as ${first} and ${other}, so their folders are no classes. Name the classes in class_names (classNames) if they are`
    return { classes: [], splits, place: place(false), note }
  }
  const classes = [...new Set(classFolders.flatMap((folder) => below(folder).slice(-1)))].sort()
  return classes.length > 1 ? { classes, splits, place: place(true) } : { classes: [], splits, place: place(false) }
}
