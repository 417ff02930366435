/**
 * Times as people and programs read them.
 *
 * @module
 */
import { DateTime, Option } from "effect"

/** Milliseconds since 1970 as ISO 8601 in UTC; what is no time at all stays a number. */
export const isoTime = (at: number): string =>
  Option.match(DateTime.make(at), { onNone: () => String(at), onSome: DateTime.formatIso })
