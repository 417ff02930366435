/**
 * A stage as the routes know it: what it does to one record or to all of a batch, and where that goes.
 *
 * @module
 */
import type { Effect } from "effect"
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import type { Scope } from "../expression/Expression.ts"
import type { StageError } from "../StageError.ts"

/** A record that a stage cannot handle. Thrown by steps, caught once per stage, never seen outside. */
export class RecordFailure extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What a stage does to a payload; `dropped` filters the record out. Throws `RecordFailure`. */
export type Step = (payload: unknown, scope: Scope) => unknown
export const dropped: unique symbol = Symbol("dropped")

/** What a stage splits a payload into, one after the other; `dropped` filters the record out. Throws `RecordFailure`. */
export type Split = (payload: unknown, scope: Scope) => ReadonlyArray<unknown> | typeof dropped

/**
 * What a stage does that takes payloads in for good: nothing goes on from here by itself. Answers how to take
 * the payload back, the latest first. Throws `RecordFailure`.
 */
export type Take = (payload: unknown, scope: Scope) => () => void

/** What became of one payload in one stage. */
export type Piece =
  | { readonly _tag: "Passed"; readonly payload: unknown }
  | { readonly _tag: "Many"; readonly payloads: ReadonlyArray<unknown> }
  | { readonly _tag: "Dropped" }
  | { readonly _tag: "Failed"; readonly reason: Reason }
export type Pieces = ReadonlyArray<Piece>

/** What a step of a whole batch says of each of its payloads, in their order; of some, to be asked again. */
export type Answers = ReadonlyArray<Piece | { readonly _tag: "Retry"; readonly reason: Reason }>

/** Where a payload comes from: the record that it is, or is a piece of. */
export interface Origin {
  /** The ordinal of that record in its source. */
  readonly offset: number
  readonly record: SourceRecord
}

/**
 * A step that waits for something. It sees all payloads of a batch at once, each with its origin, and answers
 * for each. It fails as a whole only when the stage cannot do its part, which stops the run.
 */
export type WaitingStep = (
  payloads: ReadonlyArray<unknown>,
  origins: ReadonlyArray<Origin>
) => Effect.Effect<Answers, StageError>

/** A stage ready to run: its step, the contract of what comes out, and where that goes. */
export interface RouteStage {
  readonly name: string
  /** The sinks a record may still reach from here, this one included. */
  readonly reaches: ReadonlyArray<string>
  readonly step: Step | undefined
  /** Instead of `step`: one payload becomes many. */
  readonly split?: Split | undefined
  /** As many as one becomes at most. */
  readonly splitsInto?: number | undefined
  /** Instead of `step`: the payload ends here. */
  readonly take?: Take | undefined
  /** With `take`: the outcome names the records that were taken in. */
  readonly namesTaken?: boolean | undefined
  /** Instead of `step`; a route through such a stage goes stage by stage. */
  readonly waiting: WaitingStep | undefined
  readonly encode: ((payload: unknown) => unknown) | undefined
  readonly check: ((payload: unknown) => Reason | undefined) | undefined
  readonly edges: ReadonlyArray<{
    readonly to: string
    readonly when: ((scope: Scope) => boolean) | undefined
  }>
}
