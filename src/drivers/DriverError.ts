/**
 * Every way the outside world can let a pipeline down.
 *
 * @module
 */
import { Schema } from "effect"

/** What a person sees of any reason: a stable code, what happened, and what to do. */
const Told = {
  code: Schema.String,
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
}

export const DriverErrorReason = Schema.TaggedUnion({
  /** The other side is away; the same call may succeed later. */
  Unavailable: { ...Told, retryAfterMs: Schema.optionalKey(Schema.Number) },
  /** The other side did not answer within its deadline. Whether it acted is unknown. */
  Timeout: Told,
  /** The other side asks for fewer calls. */
  Throttled: { ...Told, retryAfterMs: Schema.optionalKey(Schema.Number) },
  /** The other side understood and refused. */
  Rejected: Told,
  /** The other side does not know us, or we may not do this. */
  Unauthorized: Told,
  /** The settings or the thing they point at are wrong; trying again changes nothing. */
  Misconfigured: Told
})
export type DriverErrorReason = typeof DriverErrorReason.Type

export class DriverError extends Schema.TaggedError<DriverError>()("DriverError", {
  driver: Schema.String,
  operation: Schema.String,
  reason: DriverErrorReason
}) {
  /** May the same call be made again? */
  get isRetryable(): boolean {
    return (
      this.reason._tag === "Unavailable" || this.reason._tag === "Timeout" || this.reason._tag === "Throttled"
    )
  }

  override get message(): string {
    return this.reason.message
  }
}

/** The class of a reason: what its tag promises about trying again. */
export type DriverErrorTag = DriverErrorReason["_tag"]
