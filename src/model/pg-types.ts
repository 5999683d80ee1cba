/** Column types under their PostgreSQL names, as classes written for the SDK that Sluice re-creates declare them. */
import { type ColumnType, parseType } from "./types.ts"

const NAMES = new Map(
  Object.entries({
    varchar: "TEXT",
    "character varying": "TEXT",
    integer: "INT32",
    int: "INT32",
    int4: "INT32",
    smallint: "INT32",
    int2: "INT32",
    bigint: "INT64",
    int8: "INT64",
    real: "FLOAT32",
    float4: "FLOAT32",
    "double precision": "FLOAT64",
    float8: "FLOAT64",
    boolean: "BOOL",
    bytea: "BINARY",
    jsonb: "JSON",
    "float4[]": "EMBEDDING",
    "real[]": "EMBEDDING",
    "float4[][]": "MULTI_EMBEDDING",
    "real[][]": "MULTI_EMBEDDING",
    deeplake_polygon: "POLYGON",
    deeplake_point: "POINT",
  }),
)

/**
 * The column type of a PostgreSQL type or domain; Sluice's own names are taken, too.
 *
 * @throws {ConfigError} for a name that is neither.
 */
export const parsePgType = (text: string, column: string): ColumnType =>
  parseType(NAMES.get(text.trim().toLowerCase()) ?? text, column)
