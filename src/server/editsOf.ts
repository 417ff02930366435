/**
 * The payloads that enter in place of what was read: those that were sent, and those that are made of fields.
 *
 * @module
 */
import { Effect } from "effect"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import type { RedrivePayload } from "../api/redrives.ts"
import { Drivers } from "../drivers/Drivers.ts"
import { EventLog } from "../log/EventLog.ts"
import type { Edits } from "../pipeline/letters/LetterRequest.ts"
import type { Standing } from "../pipeline/letters/readStanding.ts"
import { setFields } from "../pipeline/letters/setFields.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"

/** By letter id. */
export const editsOf = Effect.fnUntraced(function* (
  id: string,
  name: string,
  standing: Standing,
  letters: ReadonlyArray<DeadLetter>,
  { edits = {}, set }: Pick<RedrivePayload, "edits" | "set">
) {
  if (set === undefined || Object.keys(set).length === 0) return edits as Edits
  const functions = (yield* Pipelines).functionsOf(name)
  return yield* setFields(yield* EventLog, id, functions, standing, { edits, letters, set }).pipe(
    Effect.provideService(Drivers, yield* Drivers)
  )
})
