/** The formats that a document can name by `type`. A new one is one entry here. */
import type { FormatComponent } from "../model/format.ts"
import { coco } from "./coco/coco.ts"
import { cocoPanoptic } from "./coco/panoptic.ts"
import { imageFolder } from "./image-folder/index.ts"
import { leRobotEpisodes, leRobotFrames, leRobotTasks } from "./lerobot/index.ts"
import { tabular } from "./tabular/tabular.ts"
import { yolo } from "./yolo/index.ts"

export const FORMATS: readonly FormatComponent[] = [
  coco,
  cocoPanoptic,
  imageFolder,
  leRobotEpisodes,
  leRobotFrames,
  leRobotTasks,
  tabular,
  yolo,
]
