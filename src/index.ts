/**
 * Millrace as a library: pipelines as programs write them, and the service that runs them.
 *
 * @module
 */

export type { Checkpoint, Position } from "../events/Checkpoint.ts"
export type { Contract, Definition, ScheduleDefinition } from "../events/Definition.ts"
export type { Finding } from "../events/Finding.ts"
export type { EventOf, Letter, PipelineEvent, Raw, Reason } from "../events/PipelineEvent.ts"
export type { StoredEvent } from "../events/StoredEvent.ts"
export type { DeadLetter } from "../projections/DeadLetters.ts"
export type { PipelineState } from "../projections/PipelineState.ts"
export type { RunCounts, RunState } from "../projections/RunState.ts"
export type { Deployment, Lifecycle } from "../projections/transitions.ts"
export type { Driver, DriverContext, Offer } from "./drivers/Driver.ts"
export { DriverError, DriverErrorReason } from "./drivers/DriverError.ts"
export * as End from "./drivers/End.ts"
export * as File from "./drivers/file/File.ts"
export * as Http from "./drivers/http/Http.ts"
export { Ingress, type Push, type Pushed } from "./drivers/http/Ingress.ts"
export { IngressError, IngressReason } from "./drivers/http/IngressError.ts"
export type { Lookup, LookupRow, LookupTable, RemoteTable } from "./drivers/Lookup.ts"
export type { SourceBatch, SourceRecord } from "./drivers/Record.ts"
export type { Answer, Held, Sink, SinkBatch, SinkOpening, SinkWriter } from "./drivers/Sink.ts"
export type { ReadLimit, Source, SourceReader } from "./drivers/Source.ts"
export { Batch, BatchMisuse, type BatchRecord, type Flag, type RecordOutcome } from "./flow/Batch.ts"
export * as Condition from "./flow/condition/Condition.ts"
export { type Leaving, route, type Way } from "./flow/graph/route.ts"
export { Nack, Retry } from "./flow/Nack.ts"
export * as WatermarkTracker from "./flow/time/WatermarkTracker.ts"
export { Worker } from "./flow/Worker.ts"
export { EventLog, LogError } from "./log/EventLog.ts"
export {
  InvalidDefinition,
  type LayerOptions,
  Millrace,
  type MillraceError,
  type PastError,
  type Recorded,
  UnknownPipeline
} from "./Millrace.ts"
export type { Difference, Moment, PastState, StateDiff, Why } from "./pipeline/History.ts"
export type { DeadLetterBench } from "./pipeline/letters/DeadLetterBench.ts"
export type {
  DryRun,
  DryRunRequest,
  LetterChoice,
  LetterFilter,
  LetterOutcome,
  LetterStory,
  RedriveRequest,
  RequestedRedrive
} from "./pipeline/letters/LetterRequest.ts"
export * as Pipeline from "./pipeline/Pipeline.ts"
export * as Runtime from "./pipeline/Runtime.ts"
export type { GivenAnswer } from "./pipeline/rehearse/givenAnswers.ts"
export {
  GivenRecord,
  givenRecord,
  type Rehearsal,
  type RehearsalError,
  type Rehearsed,
  type RehearsedLetter
} from "./pipeline/rehearse/Rehearsal.ts"
export { rehearse, rehearseDefinition } from "./pipeline/rehearse/rehearse.ts"
export type {
  ReplayFrom,
  ReplayImpact,
  ReplayOptions,
  ReplayRequest
} from "./pipeline/replay/ReplayRequest.ts"
export type { Fire } from "./schedule/preview.ts"
