/**
 * What a batch leaves behind for the batches after it: how far event time has come, and what stages with a
 * memory have learned from its records.
 *
 * Only the first seal of a batch says so, because a later attempt at it must find the same: the memory before
 * a batch and its own share of it never depend on who reads it again, or when.
 *
 * @module
 */
import { Schema } from "effect"
import { WindowsDelta } from "./WindowsDelta.ts"

const Ms = Schema.Finite

/** The last instant there is, in ms since 1970: the watermark of a source that has come to its end. */
export const endOfTime = 8.64e15

/**
 * Event time after a batch, in ms since 1970. `idle` sources were left out while it was judged; a source that
 * has come to its end has `endOfTime` as its watermark.
 */
export const SealedTime = Schema.Struct({
  idle: Schema.Array(Schema.String),
  watermarks: Schema.Record(Schema.String, Ms),
  combined: Schema.NullOr(Ms)
})
export type SealedTime = typeof SealedTime.Type

/**
 * Keys that were seen for the first time, in the order of their records: JSON text, or `#` and a hash of it
 * where that is long. `times` are their event times, where the stage goes by them. So many of the oldest keys
 * are forgotten at the same time.
 */
export const KeysDelta = Schema.Struct({
  keys: Schema.Array(Schema.String),
  times: Schema.optionalKey(Schema.Array(Ms)),
  forget: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
})
export type KeysDelta = typeof KeysDelta.Type

/**
 * What was added to windows; then those that end at `close` (ms) or earlier have been closed. Where another attempt
 * may meet other answers on the way to the stage, `rows` are the records of the batch that were taken in, as ranges
 * of their indices, from and up to; what was made of memory counts down from -1.
 */
export const WindowsStep = Schema.Struct({
  add: Schema.optionalKey(WindowsDelta),
  close: Schema.optionalKey(Ms),
  rows: Schema.optionalKey(Schema.Array(Schema.Tuple([Schema.Int, Schema.Int])))
})
export type WindowsStep = typeof WindowsStep.Type

/** What one stage has learned from one batch. */
export const StageDelta = Schema.Union([KeysDelta, WindowsStep])
export type StageDelta = typeof StageDelta.Type

/** What a batch leaves behind; `memory` by stage. */
export const BatchMemory = Schema.Struct({
  batch: Schema.Int,
  time: Schema.optionalKey(SealedTime),
  memory: Schema.optionalKey(Schema.Record(Schema.String, StageDelta))
})
export type BatchMemory = typeof BatchMemory.Type

/**
 * The memory of a run that is set back: `time` as it was before the first batch of `later`, `stages` as if one
 * batch had left all of it behind, and what each batch from there on has left behind.
 */
export const RestoredMemory = Schema.Struct({
  time: Schema.NullOr(SealedTime),
  stages: Schema.Record(Schema.String, StageDelta),
  later: Schema.Array(BatchMemory)
})
export type RestoredMemory = typeof RestoredMemory.Type
