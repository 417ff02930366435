/**
 * A pipeline's schedule as people ask for it: what fires next, what waits, what became of what is past. Pure.
 *
 * @module
 */
import { tickAt } from "../../../events/Tick.ts"
import * as History from "../../../projections/History.ts"
import type { Situation } from "../../schedule/dueTicks.ts"
import { type Fire, preview } from "../../schedule/preview.ts"
import { scheduleOf, situationOf } from "../situation.ts"

export interface ScheduleView {
  readonly schedule: ReturnType<typeof scheduleOf>
  /**
   * What a tick that falls due finds as things are: `idle` triggers a run, `running` leaves it to the schedule's
   * `overlap`, anything else skips it for that reason.
   */
  readonly situation: Situation
  /** Soonest first. */
  readonly next: ReadonlyArray<Fire>
  /** Ticks that have fallen due and wait for the run before them: how many, and the last of them. */
  readonly waiting: ReadonlyArray<{ readonly count: number; readonly until: string }>
  /** Newest first. */
  readonly past: ReturnType<typeof History.ticks>
}

/** At most `limit` of each; `now` is milliseconds since 1970. */
export const scheduleView = (history: History.History, now: number, limit: number): ScheduleView => {
  const state = History.pipelineOf(history)
  const schedule = scheduleOf(state)
  const { anchor, waiting } = state.schedule
  return {
    schedule,
    situation: situationOf(state),
    next: preview({ schedule, from: now, n: limit, ...(anchor === null ? {} : { anchor }) }),
    waiting: waiting.map(({ count, until }) => ({ count, until: tickAt(until) })),
    past: History.ticks(history, limit)
  }
}
