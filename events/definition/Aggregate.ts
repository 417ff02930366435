/**
 * A stage that makes one record of many: what is counted, summed or collected in windows of event time.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"
import { Expressions } from "./MapStage.ts"
import { Expression } from "./Text.ts"

/**
 * Windows (ms once decoded): `tumbling` ones follow each other; `sliding` ones of that length begin `every`
 * so often and overlap; a `session` ends when nothing happened for that long.
 */
export const Window = Schema.Union([
  Schema.Struct({ tumbling: DurationMs }),
  Schema.Struct({ sliding: DurationMs, every: DurationMs }),
  Schema.Struct({ session: DurationMs })
]).annotate({ expected: "{ tumbling: 1h }, { sliding: 1h, every: 10m } or { session: 30m }" })
export type Window = typeof Window.Type

/** What is made of the records of a window. `collect` keeps at most `limit` values, the first ones. */
export const Measure = Schema.Union([
  Schema.Literal("count"),
  Schema.Struct({ sum: Expression }),
  Schema.Struct({ min: Expression }),
  Schema.Struct({ max: Expression }),
  Schema.Struct({ avg: Expression }),
  Schema.Struct({ first: Expression }),
  Schema.Struct({ last: Expression }),
  Schema.Struct({
    collect: Expression,
    limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).pipe(
      Schema.withDecodingDefaultKey(Effect.succeed(100))
    )
  })
]).annotate({ expected: "count, or { sum | min | max | avg | first | last | collect: an expression }" })
export type Measure = typeof Measure.Type

/**
 * One record per window and group once the watermark has passed the window: the fields of `by`, then
 * `window_start` and `window_end` (ISO 8601), then those of `make`. At most `limit` windows are open.
 */
export const Aggregate = Schema.Struct({
  window: Window,
  by: Expressions.pipe(Schema.withDecodingDefaultKey(Effect.succeed({}))),
  make: Schema.Record(Schema.String, Measure),
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100_000))
  )
}).annotate({ description: "One record for each window of event time and group" })
export type Aggregate = typeof Aggregate.Type
