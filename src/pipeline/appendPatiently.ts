/**
 * An append that outlasts a log which is away for a while, as a server is that somebody restarts.
 *
 * The very same events go to the very same place again. Whatever became of an earlier try, they are stored
 * once: the log knows them by their ids, and nobody else has appended, or it says so.
 *
 * @module
 */
import { Clock, Effect, Result } from "effect"
import type { EventLog, Fenced, Head, LogError, NewEvent, VersionConflict } from "../log/EventLog.ts"

/** How long (milliseconds) a log may be away before whoever appends gives up. */
export const patienceMs = 60_000

/** The first pause (milliseconds) between two tries; each is twice the one before, up to the longest. */
const firstPauseMs = 100
const longestPauseMs = 2000

export type AppendError = VersionConflict | Fenced | LogError

/**
 * Appends, and tries again while the log is `Unavailable`; after `patienceMs` it fails with that. Trying is
 * uninterruptible where the caller is, the pauses never are: who is interrupted there does not know whether
 * the events were stored, and must fold the log before it appends again.
 */
export const appendPatiently = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  stream: string,
  at: { readonly expectedVersion: number; readonly epoch: number },
  events: ReadonlyArray<NewEvent>
): Effect.fn.Return<Head, AppendError> {
  const first = yield* Effect.result(log.append(stream, at, events))
  if (Result.isSuccess(first)) return first.success
  if (!isAway(first.failure)) return yield* Effect.fail(first.failure)
  yield* Effect.logWarning(`${first.failure.reason.message} Trying again for ${patienceMs / 1000} s.`)
  const since = yield* Clock.currentTimeMillis
  let pauseMs = firstPauseMs
  while (true) {
    yield* Effect.interruptible(Effect.sleep(pauseMs))
    const next = yield* Effect.result(log.append(stream, at, events))
    const awayMs = (yield* Clock.currentTimeMillis) - since
    if (Result.isSuccess(next)) {
      yield* Effect.logWarning(`The log answers again, after ${(awayMs / 1000).toFixed(1)} s.`)
      return next.success
    }
    if (!isAway(next.failure) || awayMs >= patienceMs) return yield* Effect.fail(next.failure)
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  }
})

type Away = LogError & { readonly reason: { readonly _tag: "Unavailable" } }

const isAway = (error: AppendError): error is Away => error._tag === "LogError" && error.isRetryable
