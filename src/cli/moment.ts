/**
 * Moments of a pipeline's past on the command line: read, told, and refused.
 *
 * @module
 */
import { Effect } from "effect"
import * as History from "../pipeline/History.ts"
import { CliFailure } from "./CliFailure.ts"
import { exitCode } from "./exitCode.ts"
import { isoTime } from "./isoTime.ts"

/** A version or a time, or `bad_moment`. */
export const momentOf = (text: string): Effect.Effect<History.Moment, CliFailure> => {
  const moment = History.parseMoment(text)
  return moment === undefined
    ? Effect.fail(
        new CliFailure({
          exit: exitCode.badInput,
          code: "bad_moment",
          message: `${JSON.stringify(text)} is neither a version nor a time`,
          suggestion: "a version is a whole number, a time looks like 2026-03-29T01:59:59Z"
        })
      )
    : Effect.succeed(moment)
}

/** Tells of a version that is not there yet what to ask for instead. */
export const past = <A, E, R>(name: string, read: Effect.Effect<A, E | History.UnknownVersion, R>) =>
  Effect.mapError(read, (error) =>
    error instanceof History.UnknownVersion
      ? new CliFailure({
          exit: exitCode.badInput,
          code: "unknown_version",
          message: `the log of ${name} ends at version ${error.last}`,
          suggestion: `name a version from 0 to ${error.last}, or a time`
        })
      : error
  )

/** Where in the history, as a person is told. */
export const placeLine = ({
  at,
  version
}: {
  readonly at: number | null
  readonly version: number
}): string => (at === null ? "before its first event" : `after event ${version}, ${isoTime(at)}`)
