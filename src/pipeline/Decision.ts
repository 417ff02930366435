/**
 * What deciding comes to: events, perhaps none, or a rejection.
 *
 * @module
 */
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { Rejection, type RejectionCode } from "./Command.ts"

export type Decision = Result.Result<ReadonlyArray<PipelineEvent>, Rejection>

/** Nothing to say is not an error, so nothing is logged. */
export const accept = (...events: ReadonlyArray<PipelineEvent>): Decision => Result.succeed(events)

export const reject = (code: RejectionCode, message: string, suggestion?: string): Decision =>
  Result.fail(new Rejection({ code, message, ...(suggestion === undefined ? {} : { suggestion }) }))
