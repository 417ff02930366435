/**
 * How a pipeline is run, and how it comes back.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"

const positive = Schema.Int.check(Schema.isGreaterThan(0))

/** A number of times, or `unlimited`. */
const Retries = Schema.Union([
  Schema.Literal("unlimited"),
  Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
]).annotate({ expected: "a whole number of times, or unlimited" })

/**
 * How a run that lost a driver or its process comes back: after `minBackoff` (ms), times `factor` each time up
 * to `maxBackoff`, at most `maxRetries` times in a row; after `healthyAfter` (ms) of work it counts anew.
 */
const Recovery = Schema.Struct({
  minBackoff: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  maxBackoff: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10m"))),
  factor: Schema.Number.check(Schema.isBetween({ minimum: 1, maximum: 10 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(2))
  ),
  maxRetries: Retries.pipe(Schema.withDecodingDefaultKey(Effect.succeed("unlimited" as const))),
  healthyAfter: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("5m")))
}).pipe(
  Schema.encodeKeys({
    minBackoff: "min_backoff",
    maxBackoff: "max_backoff",
    maxRetries: "max_retries",
    healthyAfter: "healthy_after"
  })
)
export type Recovery = typeof Recovery.Type

/**
 * How a pipeline is run. `batchSize` records and `maxBatchBytes` bytes bound a batch, `maxBuffering`
 * (ms) how long a part-filled one waits, `inFlight` the batches read and not yet written;
 * every `checkpointInterval` (ms; 0 = after every batch) sinks are made durable.
 */
export const Runtime = Schema.Struct({
  batchSize: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1000))),
  maxBatchBytes: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(8 * 1024 * 1024))),
  maxBuffering: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  inFlight: positive.pipe(Schema.withDecodingDefaultKey(Effect.succeed(4))),
  checkpointInterval: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1s"))),
  recovery: Recovery.pipe(Schema.withDecodingDefaultKey(Effect.succeed({})))
}).pipe(
  Schema.encodeKeys({
    batchSize: "batch_size",
    maxBatchBytes: "max_batch_bytes",
    maxBuffering: "max_buffering",
    inFlight: "in_flight",
    checkpointInterval: "checkpoint_interval"
  })
)
