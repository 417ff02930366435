/**
 * What can be asked of a pipeline. Time and ids come in with the command, so that deciding is pure.
 *
 * @module
 */
import { Schema } from "effect"
import type { Desired, EventOf, Reason } from "../../events/PipelineEvent.ts"
import type { JournalEntry } from "../flow/run/Journal.ts"

export type Command =
  /** The schedule is looked at: what has fallen due since the last time is decided. */
  | { readonly _tag: "Tick" }
  /** A definition, valid or not: what was sent, and what is wrong with it. */
  | {
      readonly _tag: "Define"
      readonly definition: Omit<EventOf<"Defined">, "_tag">
      /** The version of the definition that was looked at (0 = none): refused when it is another one by now. */
      readonly ifVersion?: number
    }
  | { readonly _tag: "SetDesired"; readonly desired: Desired; readonly reason: string }
  /** Wanted running, and triggered unless a run is waiting or unfinished: one append. */
  | { readonly _tag: "Run"; readonly reason: string }
  /** One step of the actual status towards the desired one. */
  | { readonly _tag: "AdvanceDeployment" }
  /** What this process found at work is nobody's any more, or is about to be: it says so before it acts or leaves. */
  | {
      readonly _tag: "Suspend"
      readonly reason: Reason
      /** The life of the run that was found under way; `null` when there was none, or it has been drained. */
      readonly life: number | null
    }
  | { readonly _tag: "FailDeployment"; readonly error: Reason }
  | { readonly _tag: "BecomeUnavailable"; readonly reason: Reason }
  /** `deployed`: only while the pipeline is wanted running, which is what a service promises whoever asks. */
  | { readonly _tag: "Trigger"; readonly reason: string; readonly deployed?: boolean }
  | { readonly _tag: "StartRun"; readonly run: string }
  /** An unfinished run that nobody works on goes on from its place. */
  | { readonly _tag: "ResumeRun" }
  /**
   * A run that nobody works on goes back to an earlier version, as `planReplay` has worked it out: refused when
   * the run has had another life since, because then it stands elsewhere.
   */
  | {
      readonly _tag: "Replay"
      readonly life: number
      readonly setBack: Omit<EventOf<"RunSetBack">, "_tag">
    }
  /**
   * Seals, confirmations, retries and finished outputs, as the worker asks for them: one append. `life` is the
   * life of the run that the worker was begun for: one that was given up by force has no say in the next.
   */
  | { readonly _tag: "Record"; readonly entry: JournalEntry; readonly life?: number }
  /**
   * Letters are to be tried again, as somebody chose them who had read the log: refused when anything was asked
   * for at the bench since (`revision`), or when the run has had another life (`at`).
   */
  | {
      readonly _tag: "RequestRedrive"
      readonly request: Omit<EventOf<"RedriveRequested">, "_tag">
      readonly revision: number
      readonly at: Moment
    }
  /** What was requested and not begun is taken back: of these letters, or (`null`) all of it. */
  | {
      readonly _tag: "WithdrawRedrives"
      readonly letters: ReadonlyArray<string> | null
      readonly reason: string
    }
  /** Letters are owed no more; `force`: also those that are just being tried, whatever becomes of that. */
  | {
      readonly _tag: "DiscardLetters"
      readonly letters: EventOf<"DeadLettersDiscarded">["letters"]
      readonly reason: string
      readonly force: boolean
      readonly revision: number
      readonly at: Moment
    }
  /** As `Record`, of redrives alone, while no run is at work. */
  | { readonly _tag: "RecordRedrives"; readonly entry: JournalEntry }
  | {
      readonly _tag: "StallRedrives"
      readonly stage: string
      readonly reason: Reason
      readonly attempt: number
      readonly delayMs: number | null
    }
  | { readonly _tag: "CompleteRun"; readonly life?: number }
  | { readonly _tag: "FailRun"; readonly reason: Reason; readonly life?: number }
  | { readonly _tag: "CrashRun"; readonly reason: Reason; readonly life?: number }

/** Which life of which run it was, when somebody looked; a set-back begins another one. */
export interface Moment {
  readonly run: string
  readonly lives: number
  readonly generation: number
}

export const rejectionCodes = [
  "no_definition",
  "invalid_definition",
  "unfinished_run",
  "not_running",
  "illegal_transition",
  "not_shut_down",
  "not_deployed",
  "shutting_down",
  "deployment_failed",
  "already_running",
  "nothing_to_resume",
  "stale_signature",
  "stale_version",
  "batch_out_of_order",
  "unknown_batch",
  "unknown_attempt",
  "sums_disagree",
  "batches_owed",
  "outputs_unfinished",
  "nothing_to_replay",
  "unknown_version",
  "unknown_checkpoint",
  "unknown_stage",
  "outside_run",
  "set_back_before",
  "too_many_batches",
  "unknown_letter",
  "letter_unsettled",
  "redrive_open",
  "redrive_sealed",
  "nothing_to_withdraw",
  "stage_gone",
  "edit_too_large",
  "too_many_redrives"
] as const
export type RejectionCode = (typeof rejectionCodes)[number]

/** The command does not fit the state. Nothing was appended. */
export class Rejection extends Schema.TaggedError<Rejection>()("Rejection", {
  code: Schema.Literals(rejectionCodes),
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
}) {}
