/**
 * A stage whose work a service does that is asked over HTTP.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"
import { Expression } from "./Text.ts"

/** Where the service is; `weight` is its share among the others. */
export const Endpoint = Schema.Struct({
  url: Schema.NonEmptyString,
  weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(1))
  )
}).annotate({ expected: "{ url: http://…, weight: 1 }" })

/** A header as it is written, or the name of a secret that is looked up when the pipeline is made ready. */
export const HeaderValue = Schema.Union([
  Schema.String,
  Schema.Struct({ secret: Schema.NonEmptyString })
]).annotate({
  expected: "a text or { secret: NAME }"
})

/** A GET of `path` at every endpoint, every `interval` (ms once decoded): one that does not answer 2xx gets no calls. */
export const HealthCheck = Schema.Struct({
  path: Schema.NonEmptyString,
  interval: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10s")))
})

/**
 * Records go out, `batch` in a call and `concurrency` calls at a time, to one of the `endpoints`, and come
 * back each with what became of it. `hash` says which records belong to one endpoint with `consistent_hash`.
 * A call that is not answered within `timeout` (ms), or not at all, is made again elsewhere.
 */
export const Service = Schema.Struct({
  endpoints: Schema.Array(Endpoint).check(Schema.isMinLength(1), Schema.isMaxLength(100)),
  balance: Schema.Literals(["round_robin", "least_connections", "weighted", "consistent_hash"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("round_robin" as const))
  ),
  hash: Schema.optionalKey(Expression),
  batch: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100))
  ),
  concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(4))
  ),
  timeout: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10s"))),
  maxResponseBytes: Schema.Int.check(Schema.isBetween({ minimum: 1024, maximum: 256 * 1024 * 1024 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(8 * 1024 * 1024))
  ),
  headers: Schema.optionalKey(Schema.Record(Schema.String, HeaderValue)),
  health: Schema.optionalKey(HealthCheck)
})
  .pipe(Schema.encodeKeys({ maxResponseBytes: "max_response_bytes" }))
  .annotate({ description: "The work of a service that is asked over HTTP" })
export type Service = typeof Service.Type
