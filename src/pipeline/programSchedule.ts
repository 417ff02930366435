/**
 * Schedules as programs write them.
 *
 *     Pipeline.make("late-flights", { schedule: Pipeline.cron("0 6 * * *", "Europe/Berlin") })
 *     Pipeline.make("heartbeat", { schedule: Pipeline.every("5 minutes", { overlap: "buffer_one" }) })
 *
 * @module
 */
import { Duration } from "effect"
import type { ScheduleDefinition } from "../../events/Definition.ts"

/** What becomes of ticks that find a run under way (default `skip`), and of those that were missed (default `one`). */
export interface TickPolicy {
  readonly overlap?: "skip" | "buffer_one" | "cancel_running"
  readonly catchUp?: "skip" | "one" | "all"
}

/** At these local times: five fields, or six with seconds in front; the time zone is an IANA name. */
export const cron = (expression: string, timeZone: string, policy: TickPolicy = {}): ScheduleDefinition => ({
  cron: expression,
  time_zone: timeZone,
  ...timing(policy)
})

/** Again and again, counted from the instant the schedule takes effect; one second at least. */
export const every = (interval: Duration.Input, policy: TickPolicy = {}): ScheduleDefinition => ({
  interval: Math.round(Duration.toMillis(interval)),
  ...timing(policy)
})

const timing = ({ catchUp = "one", overlap = "skip" }: TickPolicy) => ({ overlap, catch_up: catchUp })
