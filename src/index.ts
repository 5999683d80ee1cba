/** The public interface of Sluice. */
export { Pipeline } from "./builder.ts"
export { Client, type ClientOptions, initializeWasm, ManagedClient, type ManagedClientOptions } from "./client.ts"
export { dropTable, listTables, unlockTable } from "./dataset/catalog.ts"
export { type DeadLetterOptions, deadLetters } from "./dataset/dead-letters.ts"
export { type ExportResult, exportColumn } from "./dataset/export.ts"
export { createIndex, listIndexes } from "./dataset/indexes.ts"
export { inspectTable, type TableInfo } from "./dataset/inspect.ts"
export type { At } from "./dataset/open.ts"
export { type ExportParquetOptions, type ExportParquetResult, exportParquet } from "./dataset/parquet.ts"
export { type PushOptions, type PushResult, pushTable } from "./dataset/push.ts"
export { listRuns } from "./dataset/runs.ts"
export {
  type SearchOptions,
  type SearchRow,
  search,
  searchText,
  type TextSearchOptions,
  type Vector,
} from "./dataset/search.ts"
export type { TableQuery } from "./dataset/sql/builder.ts"
export type { TableSearchOptions } from "./dataset/sql/builder-search.ts"
export type { QueryOptions } from "./dataset/sql/deadline.ts"
export type { Param } from "./dataset/sql/params.ts"
export type { QueryRow } from "./dataset/sql/query.ts"
export type { QueryValue } from "./dataset/sql/result.ts"
export {
  type BatchesOptions,
  type ColumnArray,
  type ColumnArrays,
  type Dataset,
  type Epoch,
  nullMask,
  type OpenOptions,
  openTable,
  type SampleOptions,
} from "./dataset/training/index.ts"
export {
  type BranchResult,
  branchTable,
  deleteTag,
  deleteView,
  diffVersions,
  type ItemChange,
  listVersions,
  listViews,
  loadView,
  type RestoreOptions,
  type RestoreResult,
  restoreVersion,
  type SavedView,
  saveView,
  type TagOptions,
  tagVersion,
  type VersionInfo,
} from "./dataset/versions/index.ts"
export { type Forecast, forecast, type Prospect, type Share } from "./engine/forecast.ts"
export type { Contract, Plan, WriteMode } from "./engine/plan.ts"
export { Coco, type CocoOptions } from "./formats/coco/coco.ts"
export { CocoPanoptic, type CocoPanopticOptions } from "./formats/coco/panoptic.ts"
export { ImageFolder, type ImageFolderOptions } from "./formats/image-folder/index.ts"
export {
  LeRobotEpisodes,
  type LeRobotEpisodesOptions,
  LeRobotFrames,
  type LeRobotFramesOptions,
  LeRobotTasks,
  type LeRobotTasksOptions,
} from "./formats/lerobot/index.ts"
export { Tabular, type TabularOptions } from "./formats/tabular/tabular.ts"
export { Yolo, type YoloOptions } from "./formats/yolo/index.ts"
export type { ColumnData, HuggingFaceData, IngestOptions, IngestResult } from "./ingest.ts"
export { readItem } from "./media/itemfile.ts"
export { type Batch, batchOf, schemaOf } from "./model/batch.ts"
export {
  boolColumn,
  bytesColumn,
  type Column,
  float64Column,
  floatsColumn,
  int32Column,
  numberColumn,
  textColumn,
  type Value,
  valueAt,
  vectorColumn,
  vectorsColumn,
} from "./model/column.ts"
export * from "./model/errors.ts"
export {
  type Ending,
  type Flow,
  type ItemCounts,
  type Occasion,
  type Progress,
  type RunEvent,
  SLOW_SECONDS,
  STAGE_SECONDS,
  type StageKind,
  type StageProgress,
  type Summary,
} from "./model/events.ts"
export type { Feed, Route } from "./model/feed.ts"
export { recipeOf } from "./model/feed.ts"
export type { Component, Field, Fields, FieldValues, Spec } from "./model/fields.ts"
export { type Columns, Format, type FormatComponent, type ItemFormat } from "./model/format.ts"
export type { Item, ItemRecord, ItemStatus, Plain, Stage } from "./model/item.ts"
export {
  type Code,
  type Lane,
  type Normalize,
  type NormalizeContext,
  Normalizer,
  type Rows,
} from "./model/normalizer.ts"
export type { OptionSpec, OptionSpecs } from "./model/options.ts"
export { matchingRows, otherRows } from "./model/row-filter.ts"
export type { RunRecord } from "./model/run.ts"
export {
  type Needs,
  type Reader,
  type RowFilter,
  Sink,
  type SinkComponent,
  type SinkExtra,
  type Version,
  type Writer,
} from "./model/sink.ts"
export { Source, type SourceComponent, type SourceContext, type SourceExtra } from "./model/source.ts"
export type { FilterStage, MapStage, RowStage, StageBatch, StageContext } from "./model/stage.ts"
export type { ColumnType, Schema, SchemaMap, TypeName } from "./model/types.ts"
export type { ColumnsOf, StageType, ValueOf } from "./model/value-types.ts"
export type { FileColumns, FileOptions } from "./normalizers/index.ts"
export {
  filesPlan,
  formatPlan,
  type MediaOptions,
  type PlanParts,
  planOf,
  type RunHandle,
  type RunSettings,
  run,
  type StartOptions,
  start,
  type TriggerOption,
} from "./pipeline.ts"
export { type Preview, type PreviewOptions, preview } from "./preview.ts"
export type { Clock } from "./schedule/clock.ts"
export type { ScheduleEvent, StartCause } from "./schedule/events.ts"
export { type ScheduleHandle, type ScheduleOptions, type ScheduleSpec, schedule } from "./schedule/schedule.ts"
export { type Slot, slots } from "./schedule/slots.ts"
export { type LanceOptions, lance } from "./sinks/lance.ts"
export { MemoryDatabase, memory } from "./sinks/memory.ts"
export { type ParquetOptions, parquet } from "./sinks/parquet/parquet.ts"
export { columns } from "./sources/columns.ts"
export { type FilesOptions, files } from "./sources/files.ts"
export { type HuggingFaceOptions, huggingface } from "./sources/huggingface.ts"
export type { MapOptions, StageOptions, WorkerCode } from "./stages.ts"
export type { FilesPipeline, NewPipeline, PipelineSettings, RowsPipeline } from "./steps.ts"
export type { IndexOptions, IndexResult, IndexType, TableIndex } from "./store/indexes.ts"
