/**
 * A stage that knows more than the record at hand: what it does to a batch depends on the batches before it.
 *
 * @module
 */
import type { StageDelta } from "../../../events/BatchMemory.ts"
import type { StageMemory } from "../../../projections/RunMemory.ts"
import type { SourceRecord } from "../../drivers/Record.ts"

/**
 * Batches come one at a time, in the order of their ordinals: `begin`, its records through the stage's step,
 * `learned`, `made`, then `keep`. A batch that is not kept has never been there.
 */
export interface StageWithMemory {
  readonly name: string
  /** What the log has; before the first batch. */
  readonly restore: (memory: StageMemory | undefined) => void
  /** `closedTo` (ms): windows that end there or earlier have been closed. */
  readonly begin: (closedTo: number | null) => void
  /** What the batch has taught so far; windows that end at `closing` (ms) or earlier are over. */
  readonly learned: (closing: number | null) => StageDelta | undefined
  /** What comes of it: records that go on from the stage. */
  readonly made: (delta: StageDelta) => ReadonlyArray<SourceRecord>
  readonly keep: (delta: StageDelta) => void
  /** No batch is at hand: what passes now belongs to none, and teaches nothing. */
  readonly rest: () => void
}
