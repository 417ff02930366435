/**
 * Places in a source, and the names under which effects are remembered.
 *
 * @module
 */
import { Schema } from "effect"
import { Json } from "./Json.ts"

/**
 * A place in a source. Opaque JSON: only the source that wrote it looks inside.
 * It stands *between* records: everything before it has been read.
 */
export const Position = Json
export type Position = typeof Position.Type

/**
 * How far a source is settled: every record before `offset` has its outcome, durably, on every branch.
 * `offset` is the ordinal of the next record of the source within its run (the first record is 0),
 * `batch` the ordinal of the last settled batch of the pipeline.
 */
export const Checkpoint = Schema.Struct({
  source: Schema.String,
  batch: Schema.Int,
  offset: Schema.Int,
  position: Position
})
export type Checkpoint = typeof Checkpoint.Type

/**
 * The key under which a sink remembers a branch of a batch. It is scoped to the pipeline, not to the
 * run, because batch ordinals never restart; a replay that means to write again raises `generation`.
 */
export const idempotencyKey = (of: {
  readonly pipeline: string
  readonly generation: number
  readonly batch: number
  readonly stage: string
}): string => `${of.pipeline}/${of.generation}/${of.batch}/${of.stage}`
