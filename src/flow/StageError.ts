/**
 * A stage whose driver could not do its part.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import { DriverError } from "../drivers/DriverError.ts"

export class StageError extends Schema.TaggedError<StageError>()("StageError", {
  stage: Schema.String,
  error: DriverError
}) {
  /** A lost driver may come back; a wrong setting waits for a person. */
  get isFatal(): boolean {
    return !this.error.isRetryable
  }

  get reason(): Reason {
    const { code, message, suggestion } = this.error.reason
    return { code, message: `${this.stage}: ${message}`, ...(suggestion === undefined ? {} : { suggestion }) }
  }
}

/** Names the stage a driver's error belongs to. */
export const atStage =
  (stage: string) =>
  <A, R>(effect: Effect.Effect<A, DriverError, R>): Effect.Effect<A, StageError, R> =>
    Effect.mapError(effect, (error) => new StageError({ stage, error }))
