/**
 * A stage that lets only records through that fit a contract.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { Contract } from "./Contract.ts"

/** A record that does not fit `contract` is a dead letter, or dropped. */
export const Validate = Schema.Struct({
  contract: Contract,
  onInvalid: Schema.Literals(["dead_letter", "drop"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("dead_letter" as const))
  )
})
  .pipe(Schema.encodeKeys({ onInvalid: "on_invalid" }))
  .annotate({ description: "Lets only records through that fit a contract" })
export type Validate = typeof Validate.Type
