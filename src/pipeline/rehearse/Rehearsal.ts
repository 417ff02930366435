/**
 * What a pipeline is tried on, and what came of it.
 *
 * @module
 */
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { RunCounts } from "../../../projections/RunState.ts"
import type { LookupRow } from "../../drivers/Lookup.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import type * as Plan from "../../flow/Plan.ts"
import type { StageError } from "../../flow/StageError.ts"
import type { GivenAnswer } from "./givenAnswers.ts"

/** A record with more than its payload; `eventTime` is in milliseconds since 1970. */
export class GivenRecord<out A = unknown> {
  readonly payload: A
  readonly with: Omit<Partial<SourceRecord>, "payload">
  constructor(payload: A, more: Omit<Partial<SourceRecord>, "payload">) {
    this.payload = payload
    this.with = more
  }
}

/** Gives a record a key, metadata or an event time; one without them is given as its payload alone. */
export const givenRecord = <A>(payload: A, more: Omit<Partial<SourceRecord>, "payload">): GivenRecord<A> =>
  new GivenRecord(payload, more)

/** What a pipeline is tried on; `Stages` are its record types by stage. */
export interface Rehearsal<Stages = Readonly<Record<string, unknown>>> {
  /**
   * Payloads by source. Sources are read in this order, each to its end before the next, unless the pipeline
   * merges them in an order of its own (`merge`). A source that is left out has no records.
   */
  readonly given: {
    readonly [Stage in keyof Stages]?: ReadonlyArray<Stages[Stage] | GivenRecord<Stages[Stage]>>
  }
  /** The rows of the tables, by lookup stage: one for every lookup that records can reach. */
  readonly lookups?: Readonly<Record<string, ReadonlyArray<LookupRow>>>
  /** The answers of the services, by service stage. */
  readonly services?: Readonly<Record<string, ReadonlyArray<GivenAnswer>>>
  /** What time it is when the run begins, in milliseconds since 1970; 2000-01-01T00:00:00Z when left out. */
  readonly at?: number
}

/** A record that could not be handled, as a rehearsal tells it. */
export interface RehearsedLetter {
  readonly source: string
  readonly offset: number
  readonly stage: string
  readonly branches: ReadonlyArray<string>
  readonly code: string
  readonly message: string
  /** The payload as it was given. */
  readonly record: unknown
}

export interface Rehearsed {
  /** What each sink got, in order, as JSON. */
  readonly sinks: Readonly<Record<string, ReadonlyArray<unknown>>>
  /** In the order in which the records were read. */
  readonly deadLetters: ReadonlyArray<RehearsedLetter>
  readonly counts: RunCounts
  /** Why the run failed, `null` when it came to its end: too many dead letters stop it as they would any other. */
  readonly failure: Reason | null
}

export type RehearsalError = Plan.PlanError | StageError
