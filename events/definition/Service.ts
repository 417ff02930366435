/**
 * A stage whose work a service does that is asked over HTTP.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"
import { Expression } from "./Text.ts"

const Endpoint = Schema.Struct({
  url: Schema.NonEmptyString,
  weight: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(1))
  )
})

/** Records go out in batches to one of the `endpoints`, and come back each with what became of it. */
export const Service = Schema.Struct({
  endpoints: Schema.Array(Endpoint).check(Schema.isMinLength(1)),
  balance: Schema.Literals(["round_robin", "least_connections", "weighted", "consistent_hash"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("round_robin" as const))
  ),
  hash: Schema.optionalKey(Expression),
  timeout: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10s")))
}).annotate({ description: "The work of a service that is asked over HTTP" })
export type Service = typeof Service.Type
