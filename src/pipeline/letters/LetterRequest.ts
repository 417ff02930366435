/**
 * What is asked of the dead-letter bench, and what it answers.
 *
 * @module
 */
import type { Definition } from "../../../events/Definition.ts"
import type { Raw, Reason } from "../../../events/PipelineEvent.ts"
import type { LetterEdit } from "../../../events/Redrive.ts"
import type { BranchFate } from "../../../projections/OpenRedrive.ts"

/** Which of the letters that stand: all, these ids, or those that are all of what is named. */
export type LetterChoice = "all" | ReadonlyArray<string> | LetterFilter

export interface LetterFilter {
  /** The stage at which they failed last. */
  readonly stage?: string | undefined
  /** The code of their last reason. */
  readonly code?: string | undefined
  /** The source they were read from. */
  readonly source?: string | undefined
}

/** By letter id the payload (a JSON value, at most 256 KiB) that enters in place of what was read. */
export type Edits = Readonly<Record<string, unknown>>

export interface RedriveRequest {
  readonly letters: LetterChoice
  /** Of letters that are chosen. */
  readonly edits?: Edits | undefined
  /** At most this many letters a second; without it as fast as they go. */
  readonly rate?: number | undefined
  /** Goes into the log. */
  readonly reason?: string | undefined
}

/**
 * What a redrive of one letter came to. `left`: it is owed to nobody any more. `nacked`: it stands, on every branch
 * it was owed on, with a new reason; `partly`: on some of them. `open`: it is not through yet, and goes on by itself
 * unless it is `stalled`. `withdrawn` and `discarded`: somebody has taken it back.
 */
export interface LetterOutcome {
  readonly letter: string
  readonly n: number
  readonly outcome: "left" | "partly" | "nacked" | "open" | "withdrawn" | "discarded"
  readonly branches: Readonly<Record<string, BranchFate>>
  /** Why it was nacked, or does not go on. */
  readonly reason: Reason | null
}

export interface RequestedRedrive {
  readonly letters: ReadonlyArray<{ readonly letter: string; readonly n: number }>
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

/** Everything the log has about one letter; times are milliseconds since 1970. */
export interface LetterStory {
  readonly id: string
  readonly run: string
  readonly batch: number
  readonly source: string
  readonly offset: number
  /** What its source read. */
  readonly raw: Raw
  /** `standing`: owed on `branches`; `void`: a set-back decides its record anew. */
  readonly status: "standing" | "redriving" | "redriven" | "discarded" | "void"
  readonly branches: ReadonlyArray<string>
  /** Where it failed last, and why. */
  readonly stage: string
  readonly reason: Reason
  /** How often it was not handled. */
  readonly attempts: number
  /** Oldest first; the first is why it became a letter. */
  readonly reasons: ReadonlyArray<{
    readonly at: number
    readonly version: number
    readonly by: string
    /** Of which redrive; 0 of its batch. */
    readonly n: number
    readonly stage: string
    readonly branches: ReadonlyArray<string>
    readonly reason: Reason
  }>
  readonly redrives: ReadonlyArray<LetterRedrive>
  readonly discarded: { readonly at: number; readonly by: string; readonly reason: string } | null
}

export interface LetterRedrive {
  readonly n: number
  readonly requestedAt: number
  readonly version: number
  readonly by: string
  readonly reason: string
  readonly edit: LetterEdit | null
  readonly outcome: LetterOutcome["outcome"]
  readonly branches: Readonly<Record<string, BranchFate>>
  readonly settledAt: number | null
}
