/**
 * Why a command did not succeed, as a person and a program are told.
 *
 * @module
 */
import { Schema } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import type { DriverError } from "../drivers/DriverError.ts"
import type { Fenced, LogError, VersionConflict } from "../log/EventLog.ts"
import type { Rejection } from "../pipeline/Command.ts"
import type { ActorStopped } from "../pipeline/PipelineActor.ts"
import { codeOfRun, exitCode } from "./exitCode.ts"

export class CliFailure extends Schema.TaggedError<CliFailure>()("CliFailure", {
  exit: Schema.Int,
  code: Schema.String,
  message: Schema.String,
  pointer: Schema.optionalKey(Schema.String),
  suggestion: Schema.optionalKey(Schema.String),
  /** What is answered all the same: a run that failed has counts, a bad file has findings. */
  result: Schema.optionalKey(Schema.Unknown),
  /** Who has read it already: the person (a program still gets it), or everybody. */
  told: Schema.optionalKey(Schema.Literals(["person", "everybody"]))
}) {}

/** Everything the engine fails with, by tag. */
type EngineError =
  | CliFailure
  | LogError
  | UndecodableEvent
  | VersionConflict
  | Fenced
  | Rejection
  | ActorStopped
  | DriverError

/** What a person is told of whatever a command failed with, defects included. */
export const failureOf = (error: unknown): CliFailure => {
  const known = error as EngineError
  switch (typeof error === "object" && error !== null ? known._tag : undefined) {
    case "CliFailure":
      return known as CliFailure
    case "LogError":
      return ofLog(known as LogError)
    case "Rejection":
      return ofRejection(known as Rejection)
    case "DriverError": {
      const { reason } = known as DriverError
      return make(codeOfRun(reason.code), reason.code, reason.message, reason.suggestion)
    }
    case "ActorStopped": {
      const { message, reason } = known as ActorStopped
      if (reason === undefined) return make(exitCode.failed, "actor_stopped", message)
      const failure = failureOf(reason)
      const { code, exit } = failure
      // What was under way when the log went has a place to go on from.
      return code === "log_unavailable" ? make(exit, code, failure.message, keepsItsPlace) : failure
    }
    case "UndecodableEvent":
      return make(
        exitCode.failed,
        "undecodable_event",
        (known as UndecodableEvent).message,
        "use the release that wrote it, or a newer one; `millrace verify` tells whether the log is damaged"
      )
    case "VersionConflict":
    case "Fenced":
      return make(
        exitCode.environment,
        "log_locked",
        `another process has taken over ${(known as Fenced).stream}`,
        "let it finish; nothing it wrote was overwritten"
      )
    default:
      return make(
        exitCode.failed,
        "internal_error",
        error instanceof Error ? error.message : String(error),
        "run it again with --log-level debug to see where it happened"
      )
  }
}

/** What a person can do about a run that ended badly. */
export const suggestionFor = (name: string, { code, suggestion }: Reason): string => {
  // Whoever saw it happen knows best.
  if (suggestion !== undefined) return suggestion
  switch (code) {
    case "interrupted":
      return "run the same command again: the run goes on where it stopped"
    case "dead_letter_threshold":
      return `\`millrace dead-letters ${name} list\` shows why; run it again to go on behind them, or mend the file or the data and run with --abandon`
    case "file_not_found":
      return "check the path; it resolves against the folder of the pipeline file"
    case "source_changed":
      return "restore the file the run began with, or give the run up with --abandon"
    case "disk_full":
      return "free some space, then run it again: the run goes on where it stopped"
    case "output_shorter_than_recorded":
    case "output_longer_than_recorded":
      return "the output was changed from outside; restore it, or give the run up with --abandon"
    case "output_not_writable":
    case "file_unreadable":
      return "check the permissions, then run it again: the run goes on where it stopped"
    case "output_locked":
      return "wait for the other run to end, or give this pipeline a file of its own"
    default:
      return `\`millrace events ${name}\` shows what happened; run it again to go on where it stopped`
  }
}

const keepsItsPlace = "run it again when the store answers: the run goes on where it stopped"

const make = (exit: number, code: string, message: string, suggestion?: string): CliFailure =>
  new CliFailure({ exit, code, message, ...(suggestion === undefined ? {} : { suggestion }) })

const ofLog = ({ reason }: LogError): CliFailure => {
  switch (reason._tag) {
    case "Locked":
      return make(
        exitCode.environment,
        "log_locked",
        `the log is in use by ${reason.holder}`,
        "wait until it ends, or name another folder with --data-dir"
      )
    case "DiskFull":
      return make(
        exitCode.environment,
        "disk_full",
        reason.message,
        "free some space, then run it again: the run goes on where it stopped"
      )
    case "Unavailable":
      return make(exitCode.environment, "log_unavailable", reason.message, "try again when the store answers")
    case "Unusable":
      return make(
        exitCode.environment,
        "log_unusable",
        reason.message,
        "`millrace doctor` looks at the log's surroundings"
      )
    case "ReadOnly":
      return make(exitCode.failed, "internal_error", "a command that only reads tried to write to the log")
  }
}

/** An unfinished run of another definition is one finding, whichever of the two ways it was noticed. */
const ofRejection = ({ code, message, suggestion }: Rejection): CliFailure =>
  code === "unfinished_run" || code === "stale_signature"
    ? make(exitCode.badInput, "unfinished_run", message, suggestion)
    : make(badPlaces.has(code) ? exitCode.badInput : exitCode.failed, code, message, suggestion)

/** What was asked for is not there, or is too much: another flag is needed. */
const badPlaces: ReadonlySet<string> = new Set([
  "unknown_version",
  "unknown_checkpoint",
  "unknown_stage",
  "outside_run",
  "set_back_before",
  "too_many_batches"
])
