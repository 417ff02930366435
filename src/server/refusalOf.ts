/**
 * What the engine fails with, in the words of the contract. One table, so that a code means the same at every
 * operation.
 *
 * @module
 */
import { Effect } from "effect"
import type { UndecodableEvent } from "../../events/upcast.ts"
import { type ErrorCode, type Failure, failed } from "../api/failures.ts"
import type { Fenced, LogError, VersionConflict } from "../log/EventLog.ts"
import type { Rejection, RejectionCode } from "../pipeline/Command.ts"
import type { DuplicateName } from "../pipeline/catalogOwner.ts"
import type { ActorStopped } from "../pipeline/PipelineActor.ts"

/** The codes of the contract that a rejection can become. */
type Refused = (typeof codeOf)[RejectionCode]

const codeOf = {
  no_definition: "StartFailedDueToFailedCompilation",
  invalid_definition: "StartFailedDueToFailedCompilation",
  unfinished_run: "UnfinishedRun",
  stale_signature: "UnfinishedRun",
  already_running: "RunInProgress",
  stale_version: "OutdatedPipelineVersion",
  not_shut_down: "CannotUpdateNonShutdownPipeline",
  not_deployed: "PipelineInteractionNotDeployed",
  not_running: "IllegalPipelineStateTransition",
  illegal_transition: "IllegalPipelineStateTransition",
  shutting_down: "IllegalPipelineStateTransition",
  deployment_failed: "IllegalPipelineStateTransition",
  nothing_to_resume: "IllegalPipelineStateTransition",
  batch_out_of_order: "IllegalPipelineStateTransition",
  unknown_batch: "IllegalPipelineStateTransition",
  unknown_attempt: "IllegalPipelineStateTransition",
  sums_disagree: "IllegalPipelineStateTransition",
  batches_owed: "IllegalPipelineStateTransition",
  outputs_unfinished: "IllegalPipelineStateTransition",
  nothing_to_replay: "NothingToReplay",
  unknown_version: "InvalidReplay",
  unknown_stage: "InvalidReplay",
  unknown_checkpoint: "InvalidReplay",
  outside_run: "InvalidReplay",
  set_back_before: "InvalidReplay",
  too_many_batches: "InvalidReplay",
  unknown_letter: "InvalidRedrive",
  letter_unsettled: "InvalidRedrive",
  redrive_open: "InvalidRedrive",
  redrive_sealed: "InvalidRedrive",
  nothing_to_withdraw: "InvalidRedrive",
  stage_gone: "InvalidRedrive",
  edit_too_large: "InvalidRedrive",
  too_many_redrives: "InvalidRedrive"
} as const satisfies Readonly<Record<RejectionCode, ErrorCode>>

/** What somebody who calls the service can do, where the engine's own advice is for a person at a terminal. */
const adviceOf: Partial<Record<RejectionCode, string>> = {
  unfinished_run:
    "start the pipeline and let the run end, or give it up: send the change again with ?abandon=true",
  stale_signature: "define the pipeline as it was, or give the run up: send the change with ?abandon=true",
  invalid_definition: "program_status says what is wrong with the program",
  not_shut_down: "shut it down first and wait until deployment_status is Shutdown",
  already_running: "wait until the run has ended"
}

/** A rejection as the contract has it; `reason` is the engine's own, finer code. */
export const refusalOf = ({ code, message, suggestion }: Rejection): Failure<Refused> => {
  const advice = adviceOf[code] ?? suggestion
  return failed(codeOf[code], message, {
    reason: code,
    ...(advice === undefined ? {} : { suggestion: advice })
  })
}

/** The log does not answer, or is not ours any more. */
export const logFailure = (
  error: LogError | ActorStopped | VersionConflict | Fenced
): Failure<"LogUnavailable"> =>
  failed("LogUnavailable", messageOf(error), { suggestion: "try again when the log answers" })

type EngineError = Rejection | ActorStopped | LogError | UndecodableEvent | VersionConflict | Fenced

/**
 * Tells what the engine fails with as the contract does. An event that cannot be read is no answer to anybody:
 * it is a fault, told as one.
 */
export const refusing = <A, E extends { readonly _tag: string } | Failure, R>(
  use: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, EngineError | DuplicateName> | Told<E>, R> =>
  Effect.catch(use, (error): Effect.Effect<never, never> => {
    if (!("_tag" in error)) return Effect.fail(error) as never
    const known = error as unknown as EngineError | DuplicateName
    switch (known._tag) {
      case "Rejection":
        return Effect.fail(refusalOf(known)) as never
      case "DuplicateName":
        return Effect.fail(duplicateName(known.name)) as never
      case "ActorStopped":
        return known.reason !== undefined && isUndecodable(known.reason)
          ? Effect.die(known.reason)
          : (Effect.fail(logFailure(known)) as never)
      case "LogError":
      case "VersionConflict":
      case "Fenced":
        return Effect.fail(logFailure(known)) as never
      default:
        return Effect.die(known)
    }
  }) as never

/** What `refusing` makes of an error. */
type Told<E> =
  | (Extract<E, Rejection> extends never ? never : Failure<Refused>)
  | (Extract<E, DuplicateName> extends never ? never : Failure<"DuplicateName">)
  | (Extract<E, ActorStopped | LogError | VersionConflict | Fenced> extends never
      ? never
      : Failure<"LogUnavailable">)

/** Another pipeline has the name. */
export const duplicateName = (name: string): Failure<"DuplicateName"> =>
  failed("DuplicateName", `There is a pipeline ${JSON.stringify(name)} already`, {
    name,
    path: "/name",
    suggestion: "take another name, or PUT the pipeline to replace it"
  })

const isUndecodable = (reason: unknown): boolean =>
  typeof reason === "object" && reason !== null && (reason as { _tag?: unknown })._tag === "UndecodableEvent"

const messageOf = (error: LogError | ActorStopped | VersionConflict | Fenced): string => {
  switch (error._tag) {
    case "LogError":
      return "message" in error.reason ? error.reason.message : `the log is ${error.reason._tag}`
    case "ActorStopped":
      return error.message
    case "VersionConflict":
    case "Fenced":
      return `another process has taken over ${error.stream}`
  }
}
