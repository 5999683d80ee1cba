/** What documents say of the sinks that keep tables in a folder. */
import type { Field } from "../model/fields.ts"
import { checkTableName, localPath } from "../store/database.ts"

export const TABLE = {
  type: "text",
  check: checkTableName,
  description: "Name of the table.",
} as const satisfies Field

export const URI = {
  type: "text",
  default: "./data",
  variable: "SLUICE_URI",
  check: localPath,
  description: "Folder of the database; made when it is not there. Relative ones from the working directory.",
} as const satisfies Field
