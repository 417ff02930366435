/**
 * What a seal says of a batch: the outcome of its records on every branch, and its dead letters.
 *
 * @module
 */
import { Schema } from "effect"
import { Position } from "./Checkpoint.ts"
import { Json } from "./Json.ts"

const Text = Schema.String
const Count = Schema.Int

/** Why something went wrong: a stable code for programs, a message and, where there is one, a way out for people. */
export const Reason = Schema.Struct({ code: Text, message: Text, suggestion: Schema.optionalKey(Text) })
export type Reason = typeof Reason.Type

/**
 * The bytes a source gave for a record that could not be handled. UTF-8 text stays text, anything else
 * is base64; beyond the cap only `size` (bytes) and the SHA-256 `digest` are kept.
 */
export const Raw = Schema.Struct({
  encoding: Schema.Literals(["utf8", "base64", "omitted"]),
  data: Text,
  size: Count,
  digest: Schema.optionalKey(Text)
})
export type Raw = typeof Raw.Type

/**
 * A record that could not be handled: `stage` is where it failed, `branches` are the sinks that are
 * owed it, `offset` is its ordinal in `source`. The id is stable across attempts at the same batch.
 * A letter of what an aggregate has made names the aggregate as its source; its `offset` counts what the
 * aggregates made of this batch, and its id names the aggregate: `generation.batch.stage.offset`.
 * Where several sources are read as one, `source` is all of them, and `origin` the one it is of, with
 * its ordinal there.
 */
export const Letter = Schema.Struct({
  id: Text,
  source: Text,
  offset: Count,
  stage: Text,
  branches: Schema.Array(Text),
  reason: Reason,
  raw: Raw,
  origin: Schema.optionalKey(Schema.Struct({ source: Text, offset: Count }))
})
export type Letter = typeof Letter.Type

const { raw: _, ...said } = Letter.fields
/** What a letter says without its bytes: those are in its seal, and in its source. */
export const LetterNote = Schema.Struct(said)
export type LetterNote = typeof LetterNote.Type

/** The branch of a batch that is its dead letters on their way to the dead-letter sink; no stage is called that. */
export const deadLettersBranch = "dead_letters"

/** Why a record is left out that had left the dead letters before its batch was sealed again: it is no letter any more. */
export const leftBefore = "left_before"

/**
 * What a seal says about one branch (one sink): `records` go to it, made of `delivered` source records;
 * of the other source records `filtered`, `unrouted`, `lettered` and `aggregated` (taken in by an aggregate;
 * left out where there is none) say why they do not. What aggregates have made is in `records` alone.
 * Invariant 6: delivered + filtered + unrouted + lettered + aggregated = the batch's count.
 * `base` is what the sink's output is cut back to if nothing of this epoch was ever applied.
 * With `ofLetters` it is the branch of the dead-letter sink, which gets the letters that count once all other
 * branches are settled: `delivered` source records are among them, `lettered` are those that this sink refuses.
 */
export const SealedBranch = Schema.Struct({
  records: Count,
  delivered: Count,
  filtered: Count,
  unrouted: Count,
  lettered: Count,
  aggregated: Schema.optionalKey(Count),
  base: Schema.optionalKey(Json),
  ofLetters: Schema.optionalKey(Schema.Literal(true))
})
export type SealedBranch = typeof SealedBranch.Type

/** The records of a batch, each counted once: what became of it when every branch is looked at. */
export const Totals = Schema.Struct({
  delivered: Count,
  filtered: Count,
  unrouted: Count,
  lettered: Count,
  aggregated: Schema.optionalKey(Count)
})
export type Totals = typeof Totals.Type

/** A batch that a run is set back to: every attempt at it so far, and the branches that keep their winner. */
export const RestoredBatch = Schema.Struct({
  batch: Count,
  generation: Count,
  source: Text,
  range: Schema.Struct({ from: Schema.NullOr(Position), to: Position }),
  offset: Count,
  count: Count,
  digest: Text,
  branches: Schema.Record(Text, Schema.Struct({ attempt: Count, winner: Schema.NullOr(Count) })),
  attempts: Schema.Record(
    Text,
    Schema.Struct({ branches: Schema.Record(Text, SealedBranch), totals: Totals })
  ),
  /**
   * Records that have left the dead letters on these branches: another attempt leaves them out. C11 With `stage`,
   * what that stage had made of its memory.
   */
  left: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({ offset: Count, branches: Schema.Array(Text), stage: Schema.optionalKey(Text) })
    )
  ),
  /** By attempt, of a batch whose letters go to a dead-letter sink. */
  notes: Schema.optionalKey(Schema.Record(Text, Schema.Array(LetterNote)))
})
export type RestoredBatch = typeof RestoredBatch.Type
