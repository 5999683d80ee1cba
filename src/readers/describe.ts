/** What a table file holds: its columns and their types, and what a Parquet footer says besides. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { IngestError, messageOf } from "../model/errors.ts"
import { type ColumnType, formatType, isOpen } from "../model/types.ts"
import { SLUICE_KEY, schemaIn } from "../parquet/metadata.ts"
import { isStoredAs } from "../parquet/stored.ts"
import { csvHead, csvScan, MOST_COLUMNS, sampledType, sampleQuery } from "./csv.ts"
import { identifier, planned, withConnection } from "./duckdb.ts"
import { duckDbMessage } from "./errors.ts"
import { checkTableFile, type TableFile } from "./file.ts"
import { checkNesting, jsonlScan, jsonlSurvey } from "./jsonl.ts"
import { type ParquetFooter, parquetFooter, parquetScan } from "./parquet.ts"
import { conversion, isFloatList, naturalType, sqlTypeOf } from "./types.ts"

export interface TableColumn {
  readonly name: string
  /** DuckDB's type: `BIGINT`, `FLOAT[]`, `STRUCT(bytes BLOB, path VARCHAR)`. */
  readonly sqlType: string
  /** The type that was asked for, or the one that the column has by itself. */
  readonly type: ColumnType
  /** No value was seen that says what the type is. */
  readonly unknown?: true
  /** The file was written by Sluice, which says in its metadata that the column has this type. */
  readonly written?: true
}

export interface TableDescription {
  readonly columns: readonly TableColumn[]
  /** Parquet only. */
  readonly footer?: ParquetFooter
}

/** The type that a caller wants a column of the file to have. */
export type AskedTypes = (name: string) => ColumnType | undefined

/** What `look` finds in a file that was checked to be a table; what it throws names the file. */
const inspect = <T>(file: TableFile, look: (connection: DuckDBConnection) => Promise<T>): Promise<T> =>
  withConnection(async (connection) => {
    checkTableFile(file)
    try {
      return await look(connection)
    } catch (error) {
      const message = error instanceof IngestError ? messageOf(error) : await duckDbMessage(error, file.path)
      throw new IngestError(`${file.path}: ${message}`, { cause: error })
    }
  })

const firstRow = async (connection: DuckDBConnection, sql: string): Promise<Readonly<Record<string, unknown>>> =>
  (await connection.runAndReadAll(sql)).getRowObjectsJS()[0] ?? {}

/**
 * The length that all lists of a column have; undefined when they differ, are empty, or hold a null. All rows are looked
 * at, because a column's type must not change in the middle of a file.
 */
const widthOf = async (connection: DuckDBConnection, from: string, c: string): Promise<number | undefined> => {
  const look = async (limit: string): Promise<number | undefined> => {
    const { low, high, full } = await firstRow(
      connection,
      `SELECT min(len(c)) AS low, max(len(c)) AS high, bool_and(len(c) = list_count(c)) AS full FROM (SELECT ${c} AS c FROM ${from}${limit})`,
    )
    const width = Number(low ?? 0)
    return width > 0 && width === Number(high) && full === true ? width : undefined
  }
  // Lists that differ do so among the first ones, mostly.
  return (await look(" LIMIT 2048")) === undefined ? undefined : look("")
}

interface Found {
  readonly name: string
  readonly sqlType: string
}

/** Where a column can be looked at. */
interface Place {
  readonly from: string
  readonly column: string
}

const columnsOf = async (
  connection: DuckDBConnection,
  from: string,
  most = Number.POSITIVE_INFINITY,
): Promise<readonly Found[]> => {
  const prepared = await connection.prepare(`SELECT * FROM ${from}`)
  try {
    // Asking for a type takes the longer the more columns there are.
    if (prepared.columnCount > most) {
      throw new IngestError(`Expected at most ${most} different keys, found ${prepared.columnCount}`)
    }
    return Array.from({ length: prepared.columnCount }, (_, index) => ({
      name: prepared.columnName(index),
      sqlType: sqlTypeOf(prepared.columnType(index)),
    }))
  } finally {
    prepared.destroySync()
  }
}

/** The type of a column of which the DuckDB type is known; `place` is asked for where its lists are. */
const typeOf = async (
  connection: DuckDBConnection,
  { name, sqlType }: Found,
  asked: ColumnType | undefined,
  place: () => Place,
): Promise<ColumnType> => {
  const needsWidth = asked ? asked.name === "EMBEDDING" && asked.size === undefined : isFloatList(sqlType)
  if (asked?.name === "MULTI_EMBEDDING" && isOpen(asked)) {
    throw new IngestError(
      `Column ${JSON.stringify(name)}: expected how many numbers a vector has, as in MULTI_EMBEDDING(128), found MULTI_EMBEDDING in the schema`,
    )
  }
  if (asked && !conversion(sqlType, "", asked)) {
    throw new IngestError(
      `Column ${JSON.stringify(name)}: expected what can become ${formatType(asked)}, as the schema says, found ${sqlType}`,
    )
  }
  if (!needsWidth) return asked ?? naturalType(sqlType)
  const { from, column } = place()
  const width = await widthOf(connection, from, `(${conversion(sqlType, column, { name: "EMBEDDING" })?.sql})`)
  if (width !== undefined) return { name: "EMBEDDING", size: width }
  if (!asked) return naturalType(sqlType)
  throw new IngestError(
    `Column ${JSON.stringify(name)}: expected lists of one length, as EMBEDDING in the schema says, found different lengths, empty lists or nulls`,
  )
}

const describeParquet = async (
  connection: DuckDBConnection,
  file: TableFile,
  types: AskedTypes,
): Promise<TableDescription> => {
  const { from } = parquetScan(file)
  const footer = await parquetFooter(connection, file)
  const written = schemaIn(footer.metadata.get(SLUICE_KEY))
  const columns: TableColumn[] = []
  for (const found of await columnsOf(connection, from)) {
    const own = written?.get(found.name)
    const asked = types(found.name)
    if (own && !asked && isStoredAs(own, found.sqlType)) {
      columns.push({ ...found, type: own, written: true })
      continue
    }
    const place = (): Place => ({ from, column: identifier(found.name) })
    columns.push({ ...found, type: await typeOf(connection, found, asked, place) })
  }
  return { columns, footer }
}

/** DuckDB does not tell `a` from `A`, and calls the second one `A_1`. */
const checkKeys = async (connection: DuckDBConnection, file: TableFile, found: readonly Found[]): Promise<void> => {
  const lower = new Set(found.map(({ name }) => name.toLowerCase()))
  for (const { name } of found) {
    const base = /^(.*)_\d+$/s.exec(name)?.[1]
    if (base === undefined || !lower.has(base.toLowerCase())) continue
    const scan = jsonlScan(file, new Map([[name, { name: "JSON" }]]))
    const { count } = await firstRow(connection, `SELECT count(${identifier(name)}) AS count FROM ${scan}`)
    if (Number(count) > 0) continue
    throw new IngestError(
      `Expected keys that differ in more than upper and lower case, found several that are ${JSON.stringify(base)} but for that. Rename one of them`,
    )
  }
}

/**
 * Of columns of whole numbers that DuckDB takes for wider than 64 bits, those that are not: it does so as soon as there
 * are both negative numbers and others.
 */
const narrowOnes = async (
  connection: DuckDBConnection,
  file: TableFile,
  names: readonly string[],
): Promise<ReadonlySet<string>> => {
  if (names.length === 0) return new Set()
  const scan = jsonlScan(file, new Map(names.map((name) => [name, { name: "INT64" }])))
  const tests = names.map((name, index) => {
    const c = identifier(name)
    return `count(${c}) = count(try_cast(${c} AS BIGINT)) AS fits${index}`
  })
  const look = () => firstRow(connection, `SELECT ${tests.join(", ")} FROM ${scan}`)
  const answer = await planned(names.length, look)
  return new Set(names.filter((_, index) => answer[`fits${index}`] === true))
}

/** Numbers, truth values and what is nested are what they are; all else, dates too, is text as it stands there. */
const NOT_TEXT = /^(BOOLEAN|BIGINT|UBIGINT|DOUBLE|JSON)$|^(STRUCT|MAP)\(|\]$/

const describeJsonl = async (
  connection: DuckDBConnection,
  file: TableFile,
  types: AskedTypes,
): Promise<TableDescription> => {
  await checkNesting(file.path)
  const found = await columnsOf(connection, jsonlSurvey(file), MOST_COLUMNS)
  await checkKeys(connection, file, found)
  const wide = found.filter(({ name, sqlType }) => sqlType === "HUGEINT" && !types(name))
  const narrow = await narrowOnes(
    connection,
    file,
    wide.map(({ name }) => name),
  )
  const columns: TableColumn[] = []
  for (const { name, sqlType: surveyed } of found) {
    const asked = types(name)
    const natural = narrow.has(name) ? "BIGINT" : NOT_TEXT.test(surveyed) ? surveyed : "VARCHAR"
    const sqlType = asked ? (surveyed.endsWith("]") ? surveyed : "VARCHAR") : natural
    const place = (): Place => ({
      from: jsonlScan(file, new Map([[name, { name: "EMBEDDING" }]])),
      column: identifier(name),
    })
    const type = await typeOf(connection, { name, sqlType }, asked, place)
    columns.push({ name, sqlType: surveyed, type, ...(surveyed === "JSON" && !asked && { unknown: true }) })
  }
  return { columns }
}

const describeCsv = async (
  connection: DuckDBConnection,
  file: TableFile,
  types: AskedTypes,
): Promise<TableDescription> => {
  const head = await csvHead(file)
  const from = csvScan(file, head)
  const expressions = head.names.map((_, index) => `c${index}`)
  const sample = () => firstRow(connection, sampleQuery(from, expressions))
  const answer = await planned(expressions.length, sample)
  const columns: TableColumn[] = []
  for (const [index, name] of head.names.entries()) {
    const asked = types(name)
    const sampled = sampledType(answer, index)
    const found = { name, sqlType: "VARCHAR" }
    const place = (): Place => ({ from, column: `c${index}` })
    const type = asked ? await typeOf(connection, found, asked, place) : (sampled ?? { name: "TEXT" })
    columns.push({ ...found, type, ...(!asked && !sampled && { unknown: true }) })
  }
  return { columns }
}

/**
 * Names of the columns of a Parquet or CSV file, from its first or last bytes alone.
 *
 * @throws {IngestError} as {@link describeTable}.
 */
export const columnNames = (file: TableFile): Promise<readonly string[]> =>
  inspect(file, async (connection) =>
    file.format === "parquet"
      ? (await columnsOf(connection, parquetScan(file).from)).map(({ name }) => name)
      : (await csvHead(file)).names,
  )

/**
 * DuckDB's types of the columns of a Parquet file, by name, from its footer alone.
 *
 * @throws {IngestError} as {@link describeTable}.
 */
export const columnTypes = (path: string): Promise<ReadonlyMap<string, string>> => {
  const file: TableFile = { path, format: "parquet" }
  return inspect(file, async (connection) => {
    const found = await columnsOf(connection, parquetScan(file).from)
    return new Map(found.map(({ name, sqlType }) => [name, sqlType]))
  })
}

/**
 * The footer of a Parquet file.
 *
 * @throws {IngestError} as {@link describeTable}.
 */
export const footerOf = (file: TableFile): Promise<ParquetFooter> =>
  inspect(file, (connection) => parquetFooter(connection, file))

/**
 * The columns of a table file and what they become. `types` gives the types that the caller asks for, by name in the
 * file. CSV: from the first 20,480 rows. JSONL: from all of them. Parquet: from its schema; lists of floats from all rows.
 *
 * @throws {IngestError} when the file is missing, empty, a Git LFS pointer, or not what its format says; and when a
 * column cannot have the type that is asked for.
 */
export const describeTable = (file: TableFile, types: AskedTypes = () => undefined): Promise<TableDescription> =>
  inspect(file, (connection) => {
    if (file.format === "parquet") return describeParquet(connection, file, types)
    return file.format === "jsonl" ? describeJsonl(connection, file, types) : describeCsv(connection, file, types)
  })
