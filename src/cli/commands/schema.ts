/** `sluice schema` */
import { jsonSchema } from "../../config/json-schema.ts"
import { printJson } from "../output.ts"

export const schemaCommand = (): void => printJson(jsonSchema())
