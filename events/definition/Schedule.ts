/**
 * When runs start.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"

/** No schedule is finer than this: a tick is an event, and a run costs several. */
export const shortestIntervalMs = 1000

/** `catch_up: all` runs at most this many missed ticks, the latest ones; older ones are skipped as missed. */
export const catchUpTicksMost = 1000

const aTimeZone = "A name of the IANA database, like Europe/Berlin"

const Timing = {
  overlap: Schema.Literals(["skip", "buffer_one", "cancel_running"])
    .annotate({
      description:
        "A tick while a run is under way: skip it, let one wait (buffer_one), or stop the run for it (cancel_running)"
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("skip" as const))),
  catch_up: Schema.Literals(["skip", "one", "all"])
    .annotate({
      description: `Ticks missed while nobody was there: skip them, run the latest (one), or all of the last ${catchUpTicksMost}, one after the other`
    })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("one" as const)))
}

/**
 * When runs start. `manual`: when somebody asks. `continuous`: one run is kept going. `interval` (ms once
 * decoded): counted from the instant the schedule took effect. `cron`: five fields, or six with seconds in
 * front, in the local time of an IANA time zone.
 */
export const ScheduleDefinition = Schema.Union([
  Schema.Literals(["manual", "continuous"]),
  Schema.Struct({ interval: DurationMs, ...Timing }),
  Schema.Struct({
    cron: Schema.String.annotate({
      description:
        "minute hour day month weekday, with seconds in front if there are six; or @daily and the like"
    }),
    time_zone: Schema.String.annotate({ description: aTimeZone }).annotateKey({
      messageMissingKey: aTimeZone
    }),
    ...Timing
  })
]).annotate({
  expected: 'manual, continuous, { interval: 5m } or { cron: "0 6 * * *", time_zone: Europe/Berlin }'
})
export type ScheduleDefinition = typeof ScheduleDefinition.Type
