/**
 * A log that counts what it is asked: every store in the same way, around the store.
 *
 * @module
 */
import { Cause, type Clock, type Context, Effect, Exit } from "effect"
import type { appendFailures } from "../metrics/metricTable.ts"
import { counter, histogram } from "../metrics/series.ts"
import type { EventLog, Fenced, LogError, VersionConflict } from "./EventLog.ts"

type Log = EventLog["Service"]
type Failure = (typeof appendFailures)[number]

/** The same log; appends and snapshots are counted, whether they succeed or not. */
export const metered = (log: Log): Log => ({
  ...log,
  append: (stream, at, events) =>
    Effect.clockWith((clock) => {
      const begin = clock.currentTimeNanosUnsafe()
      return Effect.onExit(log.append(stream, at, events), (exit) =>
        Effect.contextWith((context) =>
          Effect.sync(() =>
            Exit.isSuccess(exit)
              ? appended(context, events.length, secondsSince(clock, begin))
              : failed(context, exit.cause)
          )
        )
      )
    }),
  saveSnapshot: (snapshot) =>
    Effect.tap(log.saveSnapshot(snapshot), () =>
      Effect.contextWith((context: Context.Context<never>) =>
        Effect.sync(() => snapshotsSaved.updateUnsafe(1, context))
      )
    )
})

/** One durable transaction of so many appends took so long. */
export const committed = (
  context: Context.Context<never>,
  { appends, isSlow, seconds }: { appends: number; isSlow: boolean; seconds: number }
): void => {
  groupAppends.updateUnsafe(appends, context)
  commitSeconds.updateUnsafe(seconds, context)
  slowCommits.updateUnsafe(isSlow ? 1 : 0, context)
}

/** Seconds between an instant of this clock and now. */
export const secondsSince = (clock: Clock.Clock, begin: bigint): number =>
  Number(clock.currentTimeNanosUnsafe() - begin) / 1e9

const appended = (context: Context.Context<never>, events: number, seconds: number): void => {
  appends.updateUnsafe(1, context)
  appendEvents.updateUnsafe(events, context)
  appendSeconds.updateUnsafe(seconds, context)
}

const failed = (
  context: Context.Context<never>,
  cause: Cause.Cause<VersionConflict | Fenced | LogError>
): void => {
  const error = cause.reasons.find(Cause.isFailReason)?.error
  failures[error === undefined ? "unusable" : failureOf(error)].updateUnsafe(1, context)
}

const failureOf = (error: VersionConflict | Fenced | LogError): Failure => {
  switch (error._tag) {
    case "VersionConflict":
      return "version_conflict"
    case "Fenced":
      return "fenced"
    case "LogError":
      return logFailures[error.reason._tag]
  }
}

const logFailures: Readonly<Record<LogError["reason"]["_tag"], Failure>> = {
  Unavailable: "unavailable",
  DiskFull: "disk_full",
  Locked: "locked",
  Unusable: "unusable",
  ReadOnly: "read_only"
}

const appends = counter("millrace_log_appends_total", {})
const appendEvents = histogram("millrace_log_append_events", {})
const appendSeconds = histogram("millrace_log_append_seconds", {})
const snapshotsSaved = counter("millrace_log_snapshots_saved_total", {})
const groupAppends = histogram("millrace_log_group_appends", {})
const commitSeconds = histogram("millrace_log_commit_seconds", {})
const slowCommits = counter("millrace_log_slow_commits_total", {})
const failureSeries = (reason: Failure) => counter("millrace_log_append_failures_total", { reason })
const failures: Readonly<Record<Failure, ReturnType<typeof failureSeries>>> = {
  version_conflict: failureSeries("version_conflict"),
  fenced: failureSeries("fenced"),
  unavailable: failureSeries("unavailable"),
  disk_full: failureSeries("disk_full"),
  locked: failureSeries("locked"),
  unusable: failureSeries("unusable"),
  read_only: failureSeries("read_only")
}
