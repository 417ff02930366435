/**
 * What can be asked of a pipeline. Time and ids come in with the command, so that deciding is pure.
 *
 * @module
 */
import { Schema } from "effect"
import type { Desired, EventOf, Reason } from "../../events/PipelineEvent.ts"
import type { JournalEntry } from "../flow/Journal.ts"

export type Command =
  /** A definition, valid or not: what was sent, and what is wrong with it. */
  | { readonly _tag: "Define"; readonly definition: Omit<EventOf<"Defined">, "_tag"> }
  | { readonly _tag: "SetDesired"; readonly desired: Desired; readonly reason: string }
  /** One step of the actual status towards the desired one. */
  | { readonly _tag: "AdvanceDeployment" }
  | { readonly _tag: "Trigger"; readonly reason: string }
  | { readonly _tag: "StartRun"; readonly run: string }
  /** An unfinished run goes on from its place; `lost` says why nobody is working on it any more. */
  | {
      readonly _tag: "ResumeRun"
      readonly lost: Reason
      /** The life of the run that is known to be nobody's (see PipelineActor.lostLife); any other one is at work. */
      readonly life: number | null
    }
  /** Seals, confirmations, retries and finished outputs, as the worker asks for them: one append. */
  | { readonly _tag: "Record"; readonly entry: JournalEntry }
  | { readonly _tag: "CompleteRun" }
  | { readonly _tag: "FailRun"; readonly reason: Reason }
  | { readonly _tag: "CrashRun"; readonly reason: Reason }

export const rejectionCodes = [
  "no_definition",
  "invalid_definition",
  "unfinished_run",
  "not_running",
  "illegal_transition",
  "already_running",
  "nothing_to_resume",
  "stale_signature",
  "batch_out_of_order",
  "unknown_batch",
  "unknown_attempt",
  "sums_disagree",
  "batches_owed",
  "outputs_unfinished"
] as const
export type RejectionCode = (typeof rejectionCodes)[number]

/** The command does not fit the state. Nothing was appended. */
export class Rejection extends Schema.TaggedError<Rejection>()("Rejection", {
  code: Schema.Literals(rejectionCodes),
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
}) {}
