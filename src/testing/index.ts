/** For tests of pipelines and of parts of one's own: `sluice/testing`. */
export { type Faults, faulty } from "./faulty.ts"
export type { NormalizerFaults } from "./faulty-normalizer.ts"
export type { SinkFaults } from "./faulty-sink.ts"
export type { SourceFaults } from "./faulty-source.ts"
