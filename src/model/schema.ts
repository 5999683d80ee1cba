/** Column types as a user writes them, read and checked. */
import { checkColumnName } from "./rows.ts"
import { type ColumnType, parseType, type Schema, type SchemaMap } from "./types.ts"

/**
 * The types of a user's schema; the directive FILE is none, and is left out.
 *
 * @throws {ConfigError} for a name that no column may have, and for what is no type.
 */
export const readSchema = (schema: SchemaMap = {}): Schema => {
  const types = new Map<string, ColumnType>()
  for (const [name, text] of Object.entries(schema)) {
    checkColumnName(name)
    if (text.toUpperCase() !== "FILE") types.set(name, parseType(text, name))
  }
  return types
}
