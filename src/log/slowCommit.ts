/**
 * A commit that took long is reported after the fact: a disk or a server that gets slow is noticed before
 * it fails.
 *
 * @module
 */
import { Clock, Effect } from "effect"

/** A commit that took longer (milliseconds) is reported as a warning. */
const slowCommitMs = 500

export const reportingSlow = <A, E>(appends: number, commit: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Clock.currentTimeMillis, (start) =>
    Effect.flatMap(commit, (result) =>
      Effect.flatMap(Clock.currentTimeMillis, (end) =>
        end - start > slowCommitMs
          ? Effect.as(
              Effect.logWarning(`The log took ${end - start} ms to commit ${appends} appends.`),
              result
            )
          : Effect.succeed(result)
      )
    )
  )
