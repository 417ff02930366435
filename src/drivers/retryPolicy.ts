/**
 * How calls of a driver are repeated: only while the reason says that the same call may succeed, with
 * growing pauses, and never for ever.
 *
 * @module
 */
import { Duration, Effect, Schedule } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { DriverError } from "./DriverError.ts"

/** 250 ms, doubling, at most 10 s apart, five times. */
export const retryPolicy = Schedule.min([
  Schedule.exponential("250 millis"),
  Schedule.spaced("10 seconds")
]).pipe(
  Schedule.upTo({ times: 5 }),
  Schedule.setInputType<DriverError>(),
  Schedule.while(({ input }) => input.isRetryable)
)

/** Repeats a call by the policy, telling each repetition before its pause. */
export const retrying =
  (tell: (attempt: number, reason: Reason, delayMs: number) => Effect.Effect<unknown>) =>
  <A, R>(call: Effect.Effect<A, DriverError, R>): Effect.Effect<A, DriverError, R> =>
    Effect.retry(
      call,
      Schedule.tap(retryPolicy, ({ attempt, duration, input }) =>
        tell(
          attempt,
          { code: input.reason.code, message: input.reason.message },
          Math.round(Duration.toMillis(duration))
        )
      )
    )
