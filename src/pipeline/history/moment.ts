/**
 * A moment as a person writes it: a version of the log, or a time.
 *
 * @module
 */
import { DateTime, Option } from "effect"
import type { Moment } from "./stateAt.ts"

/** `12`, or ISO 8601 from the year and the month on; `undefined` for anything else. Times without a zone are UTC. */
export const parseMoment = (text: string): Moment | undefined => {
  if (/^\d{1,15}$/.test(text)) return { version: Number(text) }
  if (!/^\d{4}-\d\d/.test(text)) return undefined
  return Option.getOrUndefined(
    Option.map(DateTime.make(text), (time) => ({ time: DateTime.toEpochMillis(time) }))
  )
}
