/** Functions and operators of PostgreSQL that the engine calls by another name, or must not be asked for. */

/** PostgreSQL's name to the engine's. Others have the same. */
export const RENAMED: Readonly<Record<string, string>> = {
  btrim: "trim",
  char_length: "length",
  character_length: "length",
  date_part: "date_part",
  every: "bool_and",
  extract: "date_part",
  json_agg: "json_group_array",
  json_array_length: "json_array_length",
  json_object_agg: "json_group_object",
  jsonb_agg: "json_group_array",
  jsonb_array_length: "json_array_length",
  jsonb_object_agg: "json_group_object",
  jsonb_typeof: "json_type",
  json_typeof: "json_type",
  position: "strpos",
  statement_timestamp: "now",
  timezone: "timezone",
  to_jsonb: "to_json",
}

/** What would tell of the machine, or change how the engine works. */
const REFUSED =
  /^(current_setting|set_config|getenv|getvariable|write_log|parse_log_message|nextval|currval|query|query_table|duckdb_.*|pragma_.*|pg_.*|read_.*|sniff_.*|glob|which_secret|in_search_path|current_database|current_query|current_schemas?|txid_current|version|error|add_parquet_key|enable_.*|disable_.*|checkpoint|force_checkpoint|vector_type|stats|test_.*|sleep_ms)$/

export const isRefused = (name: string): boolean => REFUSED.test(name)

/** Functions that make rows, and the names of their columns. */
export const ROW_FUNCTIONS: Readonly<Record<string, string>> = {
  generate_series: "generate_series",
  unnest: "unnest",
}

/** Operators that mean the same in both. */
export const OPERATORS: ReadonlySet<string> = new Set([..."+ - * / % ^ = <> < > <= >= || & | << >> -> ->>".split(" ")])

/** Those that are functions of the engine. */
export const OPERATOR_FUNCTIONS: Readonly<Record<string, (left: string, right: string) => string>> = {
  "~": (left, right) => `regexp_matches(${left}, ${right})`,
  "!~": (left, right) => `(NOT regexp_matches(${left}, ${right}))`,
  "~*": (left, right) => `regexp_matches(${left}, ${right}, 'i')`,
  "!~*": (left, right) => `(NOT regexp_matches(${left}, ${right}, 'i'))`,
  "#": (left, right) => `xor(${left}, ${right})`,
}
