/**
 * What is asked of the dead-letter bench, and what it answers.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { ToldLetter } from "../../../projections/LetterStory.ts"
import type { BranchFate } from "../../../projections/OpenRedrive.ts"
import type { Outcome } from "../../../projections/RedriveOutcomes.ts"

/** Which of the letters that stand: all, these ids, or those that are all of what is named. */
export type LetterChoice = "all" | ReadonlyArray<string> | LetterFilter

export interface LetterFilter {
  /** The stage at which they failed last. */
  readonly stage?: string | undefined
  /** The code of their last reason. */
  readonly code?: string | undefined
  /** The source they were read from. */
  readonly source?: string | undefined
  /** The run that met them. */
  readonly run?: string | undefined
}

/** By letter id the payload (a JSON value, at most 256 KiB) that enters in place of what was read. */
export type Edits = Readonly<Record<string, unknown>>

export interface RedriveRequest {
  readonly letters: LetterChoice
  /** Of letters that are chosen. */
  readonly edits?: Edits | undefined
  /** At most this many letters a second; without it (or with 0) as fast as they go. */
  readonly rate?: number | undefined
  /** Goes into the log. */
  readonly reason?: string | undefined
}

/**
 * What a redrive of one letter came to. `left`: it is owed to nobody any more. `nacked`: it stands, on every branch
 * it was owed on, with a new reason; `partly`: on some of them. `open`: it is not through yet, and goes on by itself
 * unless there is a `reason` why it does not. `withdrawn` and `discarded`: somebody has taken it back.
 */
export type LetterOutcome = Outcome

export interface RequestedRedrive {
  readonly letters: ReadonlyArray<{ readonly letter: string; readonly n: number }>
  /** The version the log stood at before: everything about them comes later. */
  readonly seen: number
}

export interface DryRunRequest {
  readonly letters: LetterChoice
  readonly edits?: Edits | undefined
  /** Instead of the definition in force. */
  readonly definition?: Definition | undefined
  /** At most this many letters are tried; 1000 without it. */
  readonly limit?: number | undefined
}

/** What would become of one letter. Nothing was written, and nothing was logged. */
export interface DryRun {
  readonly letter: string
  readonly outcome: "delivered" | "filtered" | "unrouted" | "lettered" | "partly"
  /** By branch it is owed on; `records` as the sink would write them. */
  readonly branches: Readonly<Record<string, DryRunBranch>>
  /** Where it would fail, and why. */
  readonly stage: string | null
  readonly reason: Reason | null
}

export interface DryRunBranch {
  readonly outcome: Exclude<BranchFate, "open">
  readonly records: ReadonlyArray<unknown>
}

/** Everything the log has about one letter. */
export type LetterStory = ToldLetter
