/** The formats that a document can name by `type`. A new one is one entry here. */
import type { Component } from "../model/fields.ts"
import type { ItemFormat } from "../model/format.ts"
import { imageFolder } from "./image-folder/index.ts"
import { yolo } from "./yolo/index.ts"

export const FORMATS: readonly Component<ItemFormat>[] = [imageFolder, yolo]
