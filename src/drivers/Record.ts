/**
 * What a source hands over: records in source order, fixed before the first stage runs.
 *
 * @module
 */
import type { Position } from "../../events/Checkpoint.ts"
import type { Raw, Reason } from "../../events/PipelineEvent.ts"

/**
 * One record as its source read it. `payload` is a JSON value. A record the source could not parse
 * carries `failure` instead of a meaning; it becomes a dead letter at the source stage.
 * `eventTime` is in milliseconds since 1970.
 */
export interface SourceRecord {
  readonly payload: unknown
  readonly key?: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly eventTime?: number
  readonly failure?: Reason
}

/** Where a record was read, when several sources are read as one: the source stage, and its ordinal there. */
export interface RecordOrigin {
  readonly source: string
  readonly offset: number
}

/**
 * A run of records between two positions. Reading `records.length` records from the position before
 * it always gives the same batch, with the same digest (SHA-256, hex, of what was read).
 */
export interface SourceBatch {
  readonly records: ReadonlyArray<SourceRecord>
  /** The place behind the last record. */
  readonly to: Position
  readonly digest: string
  /** Bytes of memory this batch holds, roughly; invariant 7 counts them. */
  readonly bytes: number
  /** The bytes of one record, as a dead letter keeps them. Valid as long as the batch. */
  raw(index: number): Raw
  /** Only where several sources are read as one. */
  readonly origin?: (index: number) => RecordOrigin
  /** Of several sources that are read as one, those that had come to their end by then; told when it is first read. */
  readonly ended?: ReadonlyArray<string>
}
