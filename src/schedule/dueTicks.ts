/**
 * The ticks that nothing was decided about yet, and those that wait: what deciding starts from.
 *
 * @module
 */
import type { EventOf } from "../../events/PipelineEvent.ts"
import { type Span, skip, spanOf, type TickEvent } from "./Span.ts"
import { type Ticks, type TimedSchedule, ticksOf } from "./Ticks.ts"

/** As long as a restart or a busy moment may take before a tick counts as missed, in milliseconds. */
export const graceMs = 30_000

/** Why nothing can run at the moment. `failed` is the run or the deployment, until a person has dealt with it. */
export type Hindrance = "paused" | "failed" | "unavailable" | "shutdown"
/** `running` is a run that is under way, being stopped, or going to be resumed without being asked. */
export type Situation = "idle" | "running" | Hindrance

/** What `projections/ScheduleState.ts` keeps, as far as deciding needs it. */
export interface TickState {
  readonly anchor: number | null
  readonly lastDueAt: number | null
  readonly waiting: ReadonlyArray<{ readonly after: number; readonly until: number }>
}

export interface Due {
  /** In line already, by an event of before. */
  readonly waiting: ReadonlyArray<Span>
  /** Due for longer than `graceMs`: nobody was there. */
  readonly missed: ReadonlyArray<Span>
  readonly onTime: ReadonlyArray<Span>
}

/** What is due under a schedule that counts from `anchor`. */
export const dueTicks = (schedule: TimedSchedule, anchor: number, state: TickState, now: number): Due => {
  const ticks = ticksOf(schedule, anchor)
  const decided = decidedUpTo(anchor, state)
  const missedUpTo = Math.max(decided, now - graceMs - 1)
  return {
    waiting: state.waiting.flatMap(({ after, until }) => promised(ticks, after, until)),
    missed: spanOf(ticks, decided, missedUpTo),
    onTime: spanOf(ticks, missedUpTo, now)
  }
}

/**
 * Ticks that the log says wait. A newer time zone database may know none of them any more; what was promised
 * is kept all the same, by the one tick that ends the range.
 */
const promised = (ticks: Ticks, after: number, until: number): ReadonlyArray<Span> => {
  const found = spanOf(ticks, after, until)
  return found.length > 0 ? found : [{ first: until, last: until, count: 1 }]
}

/** Everything due up to this instant has its event, or belongs to a schedule of before. */
export const decidedUpTo = (anchor: number, { lastDueAt }: TickState): number =>
  Math.max(anchor, lastDueAt ?? anchor)

/** Nothing of it runs. */
export const skipAll = (
  { missed, onTime, waiting }: Due,
  reason: EventOf<"TickSkipped">["reason"]
): ReadonlyArray<TickEvent> => [
  ...waiting.flatMap((span) => skip([span], reason)),
  ...skip([...missed, ...onTime], reason)
]
