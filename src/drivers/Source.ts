/**
 * Where records come from.
 *
 * @module
 */
import type { Effect, Scope } from "effect"
import type { Position } from "../../events/Checkpoint.ts"
import type { Raw } from "../../events/PipelineEvent.ts"
import type { DriverError } from "./DriverError.ts"
import type { SourceBatch, SourceRecord } from "./Record.ts"

/** A record as its dead letter keeps it. */
export interface KeptRecord {
  /** Never `omitted`. */
  readonly raw: Raw
  /** The position its batch was read from. */
  readonly from: Position | null
  /** The payload that takes the place of what the bytes say. */
  readonly edited?: { readonly payload: unknown } | undefined
}

export interface Source {
  /**
   * Opens at a position (`null` = the beginning). A position whose surroundings have changed is refused
   * with the code `source_changed`.
   */
  open(from: Position | null): Effect.Effect<SourceReader, DriverError, Scope.Scope>
  /**
   * The record these bytes are, by the settings of today, as `next` would give it: a failure of its own included,
   * unless it was edited. `undefined` when its bytes alone do not tell all of it. A record that is not told here is
   * read again in its batch.
   */
  parse?(kept: KeptRecord): Effect.Effect<SourceRecord | undefined, DriverError, Scope.Scope>
}

export interface ReadLimit {
  /** At most this many records … */
  readonly records: number
  /** … and roughly this many bytes. Ignored when `exactly` is set. */
  readonly bytes: number
  /** Exactly `records` records, however large: a sealed batch is being read again. */
  readonly exactly?: boolean
  /**
   * With `exactly`: the place behind the batch as it was first read, of which this is all or the beginning. Sources
   * whose place alone decides what comes next ignore it.
   */
  readonly along?: Position
  /** How long a part-filled batch may wait for more records, in milliseconds; a source that never waits ignores it. */
  readonly waitMs?: number
}

export interface SourceReader {
  /**
   * The next batch, never empty; `null` at the end of a bounded source. A call that fails has read nothing:
   * it may be repeated, and then begins at the same record.
   */
  next(limit: ReadLimit): Effect.Effect<SourceBatch | null, DriverError>
  /** Everything before this position is settled. Called only after that is durable; may be called again. */
  ack(position: Position): Effect.Effect<void, DriverError>
  /** How much there is and how much of it has been read, where the source knows. */
  readonly progress: () => {
    readonly done: number
    readonly total: number | null
    readonly unit: "bytes" | "rows"
  }
}
