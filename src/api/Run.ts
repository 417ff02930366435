/**
 * A run as the API tells it.
 *
 * @module
 */
import { Schema } from "effect"
import { Count, Reason, Timestamp } from "./values.ts"

export const Run = Schema.Struct({
  run: Schema.String,
  outcome: Schema.Literals(["Running", "Completed", "Failed", "Crashed"]),
  /** Why it was started: what a person gave as the reason, or the tick. */
  trigger: Schema.String,
  started_at: Timestamp,
  /** `null` while it is under way, or waits to be resumed. */
  ended_at: Schema.NullOr(Timestamp),
  resumes: Count,
  failure: Schema.NullOr(Reason),
  read: Count,
  filtered: Count,
  unrouted: Count,
  dead_lettered: Count,
  /** Taken in by aggregates; left out while there is none. */
  aggregated: Schema.optionalKey(Count),
  /** Records each sink holds. */
  applied: Schema.Record(Schema.String, Count),
  batches: Count
})
export type Run = typeof Run.Type

/** How far the present run is. `ratio` is between 0 and 1 where the sources know their size. */
export const Progress = Schema.Struct({
  read: Count,
  settled: Count,
  in_flight_batches: Count,
  ratio: Schema.NullOr(Schema.Finite),
  records_per_second: Schema.Finite,
  at: Schema.NullOr(Timestamp)
})
export type Progress = typeof Progress.Type
