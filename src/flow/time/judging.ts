/**
 * What becomes of late records, where they are read.
 *
 * @module
 */
import type { EventTime } from "../../../events/Definition.ts"
import { dropped, RecordFailure, type Step } from "../Route.ts"
import type { EventClock } from "./EventClock.ts"

/** The step of a source with event time: every record brings its source on, and a late one goes no further. */
export const judging =
  (source: string, { allowedLateness, onLate }: EventTime, clock: EventClock): Step =>
  (payload, scope) => {
    const at = scope.event_time
    if (at === null) return payload
    const mark = clock.judge(source, at)
    if (mark === null || at >= mark - allowedLateness || onLate === "keep") return payload
    if (onLate === "drop") return dropped
    const late = mark - at
    throw new RecordFailure("late", `it is ${late} ms behind event time, and may be ${allowedLateness}`)
  }
