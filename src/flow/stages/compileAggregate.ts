/**
 * A stage that makes one record of many: what a record adds to its windows, and what becomes of a window
 * that has closed. It remembers nothing itself; windows and deltas are values.
 *
 * @module
 */
import type { Effect } from "effect"
import type { Aggregate } from "../../../events/Definition.ts"
import type { WindowOfGroup, WindowsDelta } from "../../../events/WindowsDelta.ts"
import type { Windows } from "../../../projections/Windows.ts"
import type { Scope } from "../expression/Expression.ts"
import type { PlanError } from "../PlanError.ts"

/** What the records of one batch add. */
export interface Contribution {
  /**
   * Takes a record in, and answers how to take it back: the latest first, should another piece of the same
   * source record fail. Throws a `RecordFailure` and takes nothing in: `no_event_time`, `bad_event_time`,
   * `expression_failed`, `bad_measure`, `too_many_windows`.
   */
  readonly add: (payload: unknown, scope: Scope) => () => void
  /** What has been added so far. It is to be applied to the windows the contribution began with. */
  readonly delta: () => WindowsDelta
}

export interface Aggregator {
  /** Begins a batch behind these open windows. */
  readonly contribution: (open: Windows) => Contribution
  /** The record of a window that has closed. */
  readonly record: (closed: WindowOfGroup) => Readonly<Record<string, unknown>>
}

export declare const compileAggregate: (
  name: string,
  aggregate: Aggregate
) => Effect.Effect<Aggregator, PlanError>
