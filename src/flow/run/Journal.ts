/**
 * How the worker asks for facts to be logged. The actor provides it: the worker never appends.
 *
 * @module
 */
import { type Effect, Schema } from "effect"
import type { EventOf, Reason } from "../../../events/PipelineEvent.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Receipt } from "../../drivers/Sink.ts"

/** A batch with the outcome of every record on every branch; `batch` is given before it is asked for. */
export type Seal = Omit<EventOf<"BatchSealed">, "_tag" | "run" | "generation">

/** A sink holds this attempt of this branch, durably. */
export interface Applied {
  readonly stage: string
  readonly batch: number
  readonly key: string
  /** The attempt the sink holds: the winner. */
  readonly attempt: number
  readonly records: number
  /** Milliseconds from reading the batch to its confirmation. */
  readonly lagMs: number
  /** The key was held already: nothing was written this time. */
  readonly duplicate: boolean
  readonly receipt: Receipt | null
}

export interface Retry {
  readonly stage: string
  readonly batch: number | null
  readonly attempt: number
  readonly reason: Reason
  readonly delayMs: number
}

/** One letter's record with its outcome on the branches that are owed it. */
export type RedriveSeal = Omit<EventOf<"RedriveSealed">, "_tag">

/** A sink holds this attempt of a redrive, durably. */
export interface RedriveConfirmed extends Omit<Applied, "batch"> {
  readonly letter: string
  readonly n: number
}

/** What becomes one append: all of it is in the log, or none. */
export interface JournalEntry {
  readonly applied?: ReadonlyArray<Applied>
  readonly seals?: ReadonlyArray<Seal>
  readonly redriven?: ReadonlyArray<RedriveConfirmed>
  readonly redriveSeals?: ReadonlyArray<RedriveSeal>
  readonly retries?: ReadonlyArray<Retry>
  readonly finished?: ReadonlyArray<{ readonly stage: string; readonly output: Receipt }>
  /** Complete outputs that are visible again, with what was redriven. */
  readonly published?: ReadonlyArray<string>
}

/** The log did not take an entry. The worker stops: what it wrote since is settled on resume. */
export class JournalError extends Schema.TaggedError<JournalError>()("JournalError", {
  code: Schema.String,
  message: Schema.String
}) {}

export interface Journal {
  /** Answers with the state after the append. Invariant 5: it fails when the worker's owner has been fenced off. */
  readonly append: (entry: JournalEntry) => Effect.Effect<PipelineState, JournalError>
}
