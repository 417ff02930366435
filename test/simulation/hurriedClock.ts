/**
 * A clock on which nobody waits: once everything that can go on has gone on, it is the time at which the
 * next sleeper wakes.
 *
 * @module
 */
import { type Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** So many turns of the event loop without a sign of life are taken for rest. */
const quietTurns = 3

/** `alive` grows with whatever the system under test does. */
export const hurriedClock = (alive: () => number, startMs = 1_700_000_000_000): Clock.Clock => {
  let now = startMs
  let sleepers: Array<Sleeper> = []
  let seen = -1
  let quiet = 0
  let turning = false
  const turn = (): void => {
    turning = false
    if (sleepers.length === 0) return
    if (alive() === seen) quiet++
    else quiet = 0
    seen = alive()
    if (quiet >= quietTurns) {
      quiet = 0
      const next = sleepers.reduce((first, other) => (other.at < first.at ? other : first))
      sleepers = sleepers.filter((sleeper) => sleeper !== next)
      now = Math.max(now, next.at)
      next.wake()
    }
    takeTurn()
  }
  const takeTurn = (): void => {
    if (turning || sleepers.length === 0) return
    turning = true
    setImmediate(turn)
  }
  const nanos = (): bigint => BigInt(now) * 1_000_000n
  return {
    currentTimeMillisUnsafe: () => now,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.callback<void>((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.push(sleeper)
        quiet = 0
        takeTurn()
        return Effect.sync(() => {
          sleepers = sleepers.filter((other) => other !== sleeper)
        })
      })
  }
}
