/**
 * What is wrong with a schedule that only a clock and a calendar can tell.
 *
 * @module
 */
import { Result } from "effect"
import { type ScheduleDefinition, shortestIntervalMs } from "../../events/Definition.ts"
import { type Finding, finding } from "../../events/Finding.ts"
import { nearest } from "../../events/nearest.ts"
import { parseCron } from "./Cron.ts"
import { isTimed, type TimedSchedule } from "./Ticks.ts"
import { zoneNamed } from "./Zone.ts"

/** Errors, and warnings about what is not meant; pointers begin at `/schedule`. */
export const scheduleFindings = (schedule: ScheduleDefinition): ReadonlyArray<Finding> => {
  if (!isTimed(schedule)) return []
  const due =
    "interval" in schedule
      ? intervalFindings(schedule.interval)
      : [...cronFindings(schedule.cron), ...zoneFindings(schedule.time_zone)]
  return [...due, ...policyFindings(schedule)]
}

const intervalFindings = (interval: number): ReadonlyArray<Finding> =>
  interval >= shortestIntervalMs
    ? []
    : [finding("bad_value", ["schedule", "interval"], "an interval is one second at least", "1s")]

const cronFindings = (cron: string): ReadonlyArray<Finding> => {
  const parsed = parseCron(cron)
  if (Result.isSuccess(parsed)) return []
  const example = 'Five fields, or six with seconds: "0 6 * * *" is every day at six'
  return parsed.failure.map(({ message, suggestion = example }) =>
    finding("bad_cron", ["schedule", "cron"], `${cron} is no cron expression: ${message}`, suggestion)
  )
}

const zoneFindings = (name: string): ReadonlyArray<Finding> => {
  if (zoneNamed(name) !== undefined) return []
  const message = `${name} is no time zone`
  const suggestion =
    nearest(name, Intl.supportedValuesOf("timeZone")) ?? "A name of the IANA database, like Europe/Berlin"
  return [finding("bad_time_zone", ["schedule", "time_zone"], message, suggestion)]
}

const policyFindings = ({ catch_up, overlap }: TimedSchedule): ReadonlyArray<Finding> => {
  if (overlap !== "cancel_running" || catch_up !== "all") return []
  const message = "cancel_running keeps the newest tick only, so of those that were missed one is run"
  return [{ ...finding("catch_up_of_one", ["schedule", "catch_up"], message, "one"), severity: "warning" }]
}
