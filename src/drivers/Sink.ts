/**
 * Where records end, and how a sink takes part in the promise that nothing is lost or doubled.
 *
 * @module
 */
import type { Effect, Schema, Scope } from "effect"
import type { DriverError } from "./DriverError.ts"

/** What a sink's output is cut back to, or known by; JSON, opaque to the engine, kept in the log. */
export type Receipt = Schema.Json

export interface SinkOpening {
  /** The epoch of the owner; what is written under an older one is a zombie's. */
  readonly epoch: number
  readonly run: string
  /**
   * The last receipt in the log for this run's output; before the first one the base of its first seal;
   * `null` while neither is logged. A sink may remove what an older receipt named.
   */
  readonly receipt: Receipt | null
  /**
   * The last receipt of a run that was given up before this one: what is beyond it belongs to no event, and
   * a sink that goes on behind it cuts it off. `null` when there is none, and of no use once there is a receipt.
   */
  readonly leftover: Receipt | null
  /**
   * The run was set back, to the receipt above, and nothing has been recorded since: what the output was
   * recorded as before that. There, and only if it still is as recorded, are the bytes the receipt speaks of:
   * `finished` says that it was complete and visible.
   */
  readonly before?: { readonly receipt: Receipt | null; readonly finished: boolean }
  /**
   * The output is complete and visible, and records are to be added to it: what it holds stays, whoever wrote it,
   * and stays visible until `publish`. `receipt` is what it was finished with, `null` when the log does not know.
   */
  readonly extends?: true
  /** `OutputFinished` is in the log: nothing more is written, only `publish` may be owed. */
  readonly finished: boolean
}

export interface Sink {
  /**
   * One record as it will be written, made before the batch is sealed. Throws when the record does not
   * fit, with the reason as the error's message: the record is then a dead letter of this sink.
   * Never called before `open` (or `recall`, for a trial): what a sink has settled by its first records (the columns of a file)
   * comes back to it with the receipt.
   */
  encode(payload: unknown): unknown
  /**
   * Settles what an output's first records have settled, as this receipt has it, so that `encode` may be asked for a
   * record that is not written: nothing is opened.
   */
  recall?(receipt: Receipt): void
  open(opening: SinkOpening): Effect.Effect<SinkWriter, DriverError, Scope.Scope>
}

export interface SinkBatch {
  readonly key: string
  readonly batch: number
  readonly attempt: number
  /** What `encode` made, in source order. Empty when a later attempt only takes the key. */
  readonly records: ReadonlyArray<unknown>
}

/** What a sink holds under a key: the attempt that won, and how many records it wrote. */
export interface Held {
  readonly attempt: number
  readonly records: number
}

/**
 * The sink's answer to a write. `Refused` names records (indices into the batch) the other side will
 * never take; nothing of the batch was written.
 */
export type Answer =
  | { readonly _tag: "Held"; readonly held: Held }
  | {
      readonly _tag: "Refused"
      readonly refused: ReadonlyArray<{ readonly index: number; readonly message: string }>
    }

export interface SinkWriter {
  /** Goes into the first seal of this epoch: what to cut back to when nothing was applied. */
  readonly base: Receipt | null
  /** Which of these keys are held, and by which attempt. Asked on resume, before anything is sealed anew. */
  held(keys: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, Held>, DriverError>
  /** Writes a batch unless its key is held. The first attempt to take the key wins, for ever. */
  write(batch: SinkBatch): Effect.Effect<Answer, DriverError>
  /** Makes durable everything answered so far. Its receipt goes into the `StageApplied` of those batches. */
  readonly flush: Effect.Effect<Receipt | null, DriverError>
  /** All batches of a bounded run are applied: what `OutputFinished` will record. Makes it durable. */
  readonly finish: Effect.Effect<Receipt, DriverError>
  /** `OutputFinished` is in the log: make the output visible. Safe to repeat. */
  readonly publish: Effect.Effect<void, DriverError>
}
