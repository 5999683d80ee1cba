/** The sinks that a document can name by `type`. A new one is one entry here. */
import type { SinkComponent } from "../model/sink.ts"
import { lanceSink } from "./lance.ts"
import { memorySink } from "./memory.ts"
import { parquetSink } from "./parquet/parquet.ts"

export const SINKS: readonly SinkComponent[] = [lanceSink, parquetSink, memorySink]
