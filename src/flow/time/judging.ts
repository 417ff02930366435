/**
 * What becomes of late records, where they are read.
 *
 * @module
 */
import type { EventTime } from "../../../events/Definition.ts"
import { dropped, RecordFailure, type Step } from "../route/Route.ts"
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
    const behind = `it is ${spanText(mark - at)} behind event time`
    throw new RecordFailure("late", `${behind}, and may be ${spanText(allowedLateness)}`)
  }

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000]
] as const

/** A span as a person says it: its largest unit and the one below. */
const spanText = (ms: number): string => {
  const first = units.findIndex(([, size]) => ms >= size)
  if (first === -1) return `${ms}ms`
  const parts: Array<string> = []
  let left = ms
  for (const [unit, size] of units.slice(first, first + 2)) {
    const whole = Math.floor(left / size)
    if (whole > 0) parts.push(`${whole}${unit}`)
    left -= whole * size
  }
  return parts.join(" ")
}
