/**
 * How long commits take. One that took long is reported after the fact: a disk or a server that gets slow
 * is noticed before it fails.
 *
 * @module
 */
import { Effect } from "effect"
import { committed, secondsSince } from "./metered.ts"

/** A commit that took longer (seconds) is reported as a warning. */
const slowCommitSeconds = 0.5

/** Measures a commit of so many appends. */
export const reportingSlow = <A, E>(appends: number, commit: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.clockWith((clock) => {
    const begin = clock.currentTimeNanosUnsafe()
    return Effect.tap(commit, () =>
      Effect.contextWith((context) => {
        const seconds = secondsSince(clock, begin)
        const isSlow = seconds > slowCommitSeconds
        committed(context, { appends, isSlow, seconds })
        return isSlow
          ? Effect.logWarning(`The log took ${Math.round(seconds * 1000)} ms to commit ${appends} appends.`)
          : Effect.void
      })
    )
  })
