/**
 * `millrace schedule`: what fires next, and what became of the ticks that are past.
 *
 * @module
 */
import { Clock, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { scheduleJson } from "../server/historyJson.ts"
import { isoTime } from "./isoTime.ts"
import { findPipeline, onLog } from "./openLog.ts"
import { answer } from "./report.ts"
import { grouped, plural, type Style, shown, styleOf, table } from "./terminal.ts"

export const schedule = Command.make(
  "schedule",
  {
    name: Argument.String("name").pipe(Argument.withDescription("Name of the pipeline")),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription(`At most this many ticks of each kind, up to ${History.historyMost}`),
      Flag.withMetavar("<count>"),
      Flag.filter(
        (limit) => limit > 0 && limit <= History.historyMost,
        () => `Expected a number from 1 to ${History.historyMost}`
      ),
      Flag.withDefault(10)
    )
  },
  ({ limit, name }) => onLog(showSchedule(name, limit))
).pipe(
  Command.withDescription("Show the next ticks of a pipeline, and what became of past ones"),
  Command.withExamples([
    { command: "millrace schedule delayed-flights", description: "The next ten, and the last ten" },
    { command: "millrace schedule delayed-flights --limit 100 --json", description: "More, for a program" }
  ])
)

const showSchedule = Effect.fnUntraced(function* (name: string, limit: number) {
  const { stream } = yield* findPipeline(name)
  const { state: history } = yield* History.readHistory(yield* EventLog, stream)
  const view = History.scheduleView(history, yield* Clock.currentTimeMillis, limit)
  const result = scheduleJson(history, view)
  yield* answer("schedule", result, () => [
    `${shown(name)}: ${shown(scheduleText(result.schedule))}`,
    ...(view.next.length === 0 ? [] : [situations[view.situation]]),
    ...nextLines(view, styleOf(process.stdout)),
    ...view.waiting.map(
      ({ count, until }) => `${plural(count, "tick")} up to ${until} due, waiting for the run`
    ),
    ...pastLines(view, styleOf(process.stdout))
  ])
})

const scheduleText = (schedule: unknown): string =>
  schedule === null
    ? "its program has errors, nothing is scheduled"
    : typeof schedule === "string"
      ? schedule
      : JSON.stringify(schedule)

/** What a tick would find now. */
const situations: Readonly<Record<History.ScheduleView["situation"], string>> = {
  idle: "a tick starts a run",
  running: "a run is under way: what overlaps is up to the schedule",
  paused: "it is paused: ticks are skipped",
  failed: "it has failed: ticks are skipped",
  unavailable: "it is unavailable: ticks are skipped",
  shutdown: "it is shut down: ticks are skipped"
}

const nextLines = ({ next }: History.ScheduleView, style: Style): ReadonlyArray<string> =>
  next.length === 0
    ? []
    : [
        "",
        style.bold("Next"),
        ...table(
          next.map(({ local, note, offset, tick, timeZone }) => [
            `  ${tick}`,
            `${local}${offset}`,
            `${timeZone}${note === undefined ? "" : `  (${note})`}`
          ])
        )
      ]

const pastLines = ({ past }: History.ScheduleView, style: Style): ReadonlyArray<string> =>
  past.length === 0
    ? ["", "No tick has fallen due yet."]
    : ["", style.bold("Past"), ...table(past.map((tick) => [`  ${shown(tick.tick)}`, becameOf(tick)]))]

const becameOf = ({
  at,
  count,
  outcome,
  reason,
  run,
  until
}: History.ScheduleView["past"][number]): string => {
  if (outcome === "triggered") {
    return run === null
      ? `triggered at ${isoTime(at)}`
      : `triggered run ${run.id}: ${run.outcome}${run.failure === null ? "" : `, ${shown(run.failure.code)}`}`
  }
  return `${until === null ? "" : `and up to ${shown(until)}, ${grouped(count)} together: `}skipped: ${reason}`
}
