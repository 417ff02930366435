/**
 * How a pipeline is doing, as numbers.
 *
 * @module
 */
import { Schema } from "effect"
import { DeploymentStatus } from "./PipelineResource.ts"
import { Count, Timestamp } from "./values.ts"

/** Lag is the time from reading a batch to its confirmation, in milliseconds. */
export const StageStats = Schema.Struct({
  stage: Schema.String,
  batches: Count,
  records: Count,
  lag_ms_last: Schema.Finite,
  lag_ms_max: Schema.Finite,
  lag_ms_mean: Schema.Finite,
  retries: Count,
  duplicates: Count
})

/**
 * Offsets count the records of a source within its run. A watermark is in event time: `null` where a source has
 * none, has given no record yet, or has come to its end. `progress` is how much of
 * it has been read by a run at work, where the source knows how much there is.
 */
export const SourceStats = Schema.Struct({
  source: Schema.String,
  sealed_offset: Count,
  settled_offset: Count,
  watermark: Schema.NullOr(Timestamp),
  progress: Schema.NullOr(
    Schema.Struct({
      done: Schema.Finite,
      total: Schema.NullOr(Schema.Finite),
      unit: Schema.Literals(["bytes", "rows"])
    })
  )
})

/** `totals.aggregated` counts records taken in by aggregates; `watermark` is what the sources have come to together. */
export const Stats = Schema.Struct({
  run: Schema.NullOr(Schema.String),
  lifecycle: Schema.String,
  deployment_status: DeploymentStatus,
  totals: Schema.Struct({
    read: Count,
    delivered: Count,
    filtered: Count,
    unrouted: Count,
    dead_lettered: Count,
    aggregated: Schema.optionalKey(Count),
    batches: Count
  }),
  watermark: Schema.NullOr(Timestamp),
  in_flight: Schema.Struct({ batches: Count, records: Count }),
  records_per_second: Schema.Finite,
  stages: Schema.Array(StageStats),
  sources: Schema.Array(SourceStats)
})
export type Stats = typeof Stats.Type
