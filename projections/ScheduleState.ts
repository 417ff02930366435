/**
 * Where a pipeline is in its schedule: from when it counts, how far its ticks are decided, which of them
 * wait. The ticks themselves are computed; the log only says what became of them.
 *
 * @module
 */
import type { EventOf, PipelineEvent } from "../events/PipelineEvent.ts"
import { dueAtOf } from "../events/Tick.ts"

/** Ticks that have come due and wait for their turn: `count` ticks after `after` and up to `until` (ms since 1970). */
export interface WaitingTicks {
  readonly after: number
  readonly until: number
  readonly count: number
}

export interface ScheduleState {
  /** The instant the schedule took effect, ms since 1970; `null` before there was one. */
  readonly anchor: number | null
  /** Every tick up to this instant is decided or waits; `null` until the first one is. */
  readonly lastDueAt: number | null
  /** The tick that was triggered last. */
  readonly lastTriggered: string | null
  /** In the order they are due, which is the order they will run in. */
  readonly waiting: ReadonlyArray<WaitingTicks>
}

export const initial: ScheduleState = { anchor: null, lastDueAt: null, lastTriggered: null, waiting: [] }

/** Events without a tick, and ticks whose names are no instants, change nothing here. */
export const evolve = (state: ScheduleState, event: PipelineEvent): ScheduleState => {
  switch (event._tag) {
    case "Scheduled":
      return scheduled(state, event)
    case "Triggered":
      return event.tick === undefined ? state : triggered(state, event.tick)
    case "TickSkipped":
      return skipped(state, event)
    default:
      return state
  }
}

const scheduled = (state: ScheduleState, event: EventOf<"Scheduled">): ScheduleState => {
  // What came due under the schedule before stays decided: the new one counts from its own anchor.
  if (event.anchor !== undefined) return { ...state, anchor: event.anchor, waiting: [] }
  const from = dueAtOf(event.tick)
  const until = dueAtOf(event.until ?? event.tick)
  if (from === undefined || until === undefined) return state
  const waiting = [...state.waiting, { after: from - 1, until, count: event.count ?? 1 }]
  return { ...state, lastDueAt: later(state.lastDueAt, until), waiting }
}

const triggered = (state: ScheduleState, tick: string): ScheduleState => {
  const dueAt = dueAtOf(tick)
  if (dueAt === undefined) return state
  return {
    ...state,
    lastTriggered: tick,
    lastDueAt: later(state.lastDueAt, dueAt),
    waiting: without(state.waiting, dueAt, dueAt, 1)
  }
}

const skipped = (state: ScheduleState, event: EventOf<"TickSkipped">): ScheduleState => {
  const from = dueAtOf(event.tick)
  const until = dueAtOf(event.until ?? event.tick)
  if (from === undefined || until === undefined) return state
  return {
    ...state,
    lastDueAt: later(state.lastDueAt, until),
    waiting: without(state.waiting, from, until, event.count ?? 1)
  }
}

/** Ticks leave the line at its front, so what is left of a range is its end. */
const without = (
  waiting: ReadonlyArray<WaitingTicks>,
  from: number,
  until: number,
  count: number
): ReadonlyArray<WaitingTicks> =>
  waiting.flatMap((range) => {
    if (until <= range.after || from > range.until) return [range]
    return until >= range.until ? [] : [{ after: until, until: range.until, count: range.count - count }]
  })

const later = (left: number | null, right: number): number => Math.max(left ?? right, right)
