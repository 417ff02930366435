/**
 * A payload with fields.
 *
 * @module
 */
import { RecordFailure } from "../route/Route.ts"

/** Throws a `RecordFailure` for anything else: the record is a dead letter of the stage. */
export const asObject = (payload: unknown, stage: string): Readonly<Record<string, unknown>> => {
  if (typeof payload === "object" && payload !== null && !Array.isArray(payload)) {
    return payload as Readonly<Record<string, unknown>>
  }
  throw new RecordFailure("not_an_object", `${stage} needs a record with fields`)
}
