/**
 * How a stage that waits says that it is trying again: a run tells its log, whoever else routes records
 * tells nobody.
 *
 * @module
 */
import { Context, Effect } from "effect"
import type { DriverError } from "../../drivers/DriverError.ts"
import { retrying } from "../../drivers/retryPolicy.ts"
import type { Retry } from "./Journal.ts"

/** Given by whoever sends a batch on its way. */
export const Telling = Context.Reference<(retry: Retry) => Effect.Effect<unknown>>("millrace/flow/Telling", {
  defaultValue: () => () => Effect.void
})

/** Repeats what a stage asks of the outside by the retry policy, each repetition told before its pause. */
export const retriedAt =
  (stage: string) =>
  <A, R>(call: Effect.Effect<A, DriverError, R>): Effect.Effect<A, DriverError, R> =>
    Effect.flatMap(Telling, (tell) =>
      retrying((attempt, reason, delayMs) => tell({ stage, batch: null, attempt, reason, delayMs }))(call)
    )
