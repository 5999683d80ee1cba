/** The formats that a document can name by `type`. A new one is one entry here. */
import type { Component } from "../model/fields.ts"
import type { ItemFormat } from "../model/format.ts"
import { coco } from "./coco/coco.ts"
import { cocoPanoptic } from "./coco/panoptic.ts"
import { leRobotEpisodes, leRobotFrames, leRobotTasks } from "./lerobot/index.ts"
import { tabular } from "./tabular/tabular.ts"

export const FORMATS: readonly Component<ItemFormat>[] = [
  coco,
  cocoPanoptic,
  leRobotEpisodes,
  leRobotFrames,
  leRobotTasks,
  tabular,
]
