/** Reading tables to train on them. */
export { type ColumnArray, type ColumnArrays, nullMask } from "./arrays.ts"
export { type BatchesOptions, type Dataset, type OpenOptions, openTable, type SampleOptions } from "./dataset.ts"
export type { Epoch } from "./epoch.ts"
