/**
 * Closing what a driver has opened.
 *
 * @module
 */
import { Effect, Schedule } from "effect"

/** Four times more, after 100 ms and then twice as long each time. */
const again = Schedule.exponential("100 millis").pipe(Schedule.upTo({ times: 4 }))

/**
 * For finalizers: a close that fails is tried again, and at last told. It never fails itself, because what was
 * done with the thing is in the log by then, and a run that is complete is not less so for a handle.
 */
export const letGo = (what: string, close: () => unknown): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    await close()
  }).pipe(
    Effect.retry(again),
    Effect.catchCause((cause) => Effect.logWarning(`${what} could not be closed`, cause))
  )
