/**
 * What happens to dead letters once they are there: they are tried again, taken back, or discarded.
 *
 * @module
 */
import { Schema } from "effect"
import { Json } from "./Json.ts"
import { LetterEdit, LetterRequest } from "./Redrive.ts"
import { Reason, SealedBranch } from "./Seal.ts"

const Text = Schema.String
const Count = Schema.Int

/** Why a redriven record was not handled once more: where, and on which of its branches. */
export const RedriveFailure = Schema.Struct({
  stage: Text,
  branches: Schema.Array(Text),
  reason: Reason
})
export type RedriveFailure = typeof RedriveFailure.Type

/** A redrive that is under way, or is opened again by a set-back; `attempts` are what was sealed of it. */
export const OpenRedrive = Schema.Struct({
  letter: Text,
  n: Count,
  sealed: Count,
  seen: Count,
  edited: Schema.Boolean,
  rate: Schema.NullOr(Schema.Finite),
  branches: Schema.Record(Text, Schema.Struct({ attempt: Count, winner: Schema.NullOr(Count) })),
  attempts: Schema.Record(
    Text,
    Schema.Struct({
      branches: Schema.Record(Text, SealedBranch),
      failure: Schema.NullOr(RedriveFailure)
    })
  )
})
export type OpenRedrive = typeof OpenRedrive.Type

/** Part of the vocabulary of a pipeline's stream: see PipelineEvent.ts. */
export const deadLetterEvents = {
  /**
   * These letters are to be tried again, in this order, at most `rate` a second (`null`: as fast as they go).
   * Whoever chose them had read the log up to `seen`.
   */
  RedriveRequested: {
    letters: Schema.Array(LetterRequest),
    edits: Schema.Array(LetterEdit),
    rate: Schema.NullOr(Schema.Finite),
    reason: Text,
    seen: Count
  },
  /** The outcome of one letter's record on each branch it is owed on: a batch of one, sealed before it is written. */
  RedriveSealed: {
    letter: Text,
    n: Count,
    attempt: Count,
    branches: Schema.Record(Text, SealedBranch),
    failure: Schema.NullOr(RedriveFailure)
  },
  /** `held`: the sink had it already, from an attempt before; nothing was written this time. */
  RedriveApplied: {
    letter: Text,
    n: Count,
    stage: Text,
    key: Text,
    attempt: Count,
    records: Count,
    lagMs: Count,
    held: Schema.optionalKey(Schema.Boolean),
    receipt: Schema.optionalKey(Json)
  },
  /** Requested, and taken back before anything of it was sealed: the letters stay. */
  RedrivesWithdrawn: { letters: Schema.Array(Text), reason: Text },
  /** Redrives cannot be worked on now: once more after the pause, or (`null`) when somebody asks for it. */
  RedrivesStalled: { stage: Text, reason: Reason, attempt: Count, delayMs: Schema.NullOr(Count) },
  /** These letters are owed no more, on these branches: all that were left of them. */
  DeadLettersDiscarded: {
    letters: Schema.Array(Schema.Struct({ letter: Text, branches: Schema.Array(Text) })),
    reason: Text
  },
  /** Outputs that were complete have got redriven records, and are complete and visible again. */
  OutputsPublished: { stages: Schema.Array(Text) }
}
