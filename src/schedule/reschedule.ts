/**
 * One schedule takes the place of another: what was due under the old one is settled, and the new one
 * counts from this instant. To be appended together with the definition it comes from.
 *
 * @module
 */
import type { ScheduleDefinition } from "../../events/Definition.ts"
import type { EventOf } from "../../events/PipelineEvent.ts"
import { tickAt } from "../../events/Tick.ts"
import { dueTicks, type Situation, skipAll, type TickState } from "./dueTicks.ts"
import type { TickEvent } from "./Span.ts"
import { isTimed, ticksOf } from "./Ticks.ts"

export interface ScheduleChange {
  /** The schedule in force so far; `undefined` before the first. */
  readonly from: ScheduleDefinition | undefined
  readonly to: ScheduleDefinition
  readonly state: TickState
  readonly now: number
  readonly situation: Situation
}

/**
 * Nothing when both are due at the same instants: other policies alone do not shift a schedule. Ticks of the
 * old one that are due or wait are skipped, as `missed` unless something else kept them from running.
 */
export const reschedule = (change: ScheduleChange): ReadonlyArray<TickEvent> => {
  const { from, now, situation, state, to } = change
  if (from !== undefined && rhythm(from) === rhythm(to)) return []
  const reason = situation === "idle" || situation === "running" ? "missed" : situation
  const closing =
    from === undefined || !isTimed(from) || state.anchor === null
      ? []
      : skipAll(dueTicks(from, state.anchor, state, now), reason)
  return [...closing, ...takeEffect(to, now)]
}

/** The schedule is in force from `now` on: its first tick is the next after it. None for a schedule without ticks. */
export const takeEffect = (
  schedule: ScheduleDefinition,
  now: number
): ReadonlyArray<EventOf<"Scheduled">> => {
  const dueAt = ticksOf(schedule, now).next(now)
  return dueAt === undefined ? [] : [{ _tag: "Scheduled", tick: tickAt(dueAt), dueAt, anchor: now }]
}

/** When a schedule is due, as a text to compare. */
const rhythm = (schedule: ScheduleDefinition): string => {
  if (typeof schedule === "string") return schedule
  if ("interval" in schedule) return `every ${schedule.interval}`
  return `${schedule.cron} in ${schedule.time_zone}`
}
