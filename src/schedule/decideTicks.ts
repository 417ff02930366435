/**
 * What becomes of the ticks that have fallen due: pure, from what the log says and the time that came with
 * the command. Deciding twice decides nothing, because the events move `lastDueAt`.
 *
 * - **On time** is a tick that is decided within `graceMs`; later ones are **missed**: nobody was there.
 * - `overlap` is about ticks on time that find a run under way, or others waiting. `skip`: skipped.
 *   `buffer_one`: the first waits, the others are skipped. `cancel_running`: the newest waits, whatever
 *   waited is skipped, and the run is to be stopped (`cancel`).
 * - `catch_up` is about missed ticks. `skip`: all are skipped. `one`: the latest runs, unless a tick on time
 *   or one that waits already does it in its place. `all`: the last `catchUpTicksMost` run, one after the
 *   other, except under `cancel_running`, which wants the newest only. They wait for the run under way,
 *   whatever `overlap` says.
 * - While nothing can run (`paused`, `failed` …) everything due, and everything waiting, is skipped for that reason.
 *
 * However many ticks are due, the events are few: neighbours with one fate are one event.
 *
 * @module
 */
import { catchUpTicksMost, type ScheduleDefinition } from "../../events/Definition.ts"
import { type Due, decidedUpTo, dueTicks, type Situation, skipAll, type TickState } from "./dueTicks.ts"
import { takeEffect } from "./reschedule.ts"
import {
  countOf,
  dropOldest,
  firstIf,
  type Span,
  skip,
  splitEnd,
  type TickEvent,
  trigger,
  wait
} from "./Span.ts"
import { isTimed, type Ticks, type TimedSchedule, ticksOf } from "./Ticks.ts"

export interface TickInput {
  readonly schedule: ScheduleDefinition
  readonly state: TickState
  /** Milliseconds since 1970. */
  readonly now: number
  readonly situation: Situation
}

export interface TickDecision {
  /** To be appended in this order. At most one is `Triggered`, and only if the situation is `idle`. */
  readonly events: ReadonlyArray<TickEvent>
  /** The run under way is to be stopped for a tick that waits. True until it is. */
  readonly cancel: boolean
}

/** Decides all ticks up to `now`. A schedule without an anchor takes effect now. */
export const decideTicks = (input: TickInput): TickDecision => {
  const { now, schedule, situation, state } = input
  if (!isTimed(schedule)) return { events: [], cancel: false }
  if (state.anchor === null) return { events: takeEffect(schedule, now), cancel: false }
  const due = dueTicks(schedule, state.anchor, state, now)
  if (situation !== "idle" && situation !== "running") {
    return { events: skipAll(due, situation), cancel: false }
  }
  const ticks = ticksOf(schedule, state.anchor)
  const busy = situation === "running"
  if (schedule.overlap === "cancel_running") return newestOnly(ticks, due, busy, schedule)
  return { events: inTurn(ticks, due, busy, schedule), cancel: false }
}

/** `decideTicks` need not look oftener than this while it could only skip, in milliseconds; less than `graceMs`. */
const quietMs = 10_000

/**
 * When to decide next, if nothing else happens before: ms since 1970, possibly past; `undefined` when only
 * a change of the situation can bring something new. Stable: asking again does not put it off.
 */
export const decideAt = ({ now, schedule, situation, state }: TickInput): number | undefined => {
  if (!isTimed(schedule)) return undefined
  if (state.anchor === null) return takeEffect(schedule, now).length === 0 ? undefined : now
  // Everything that falls due meanwhile shares one fate: one event says so when the situation changes.
  if (situation !== "idle" && situation !== "running") return undefined
  if (situation === "idle" && state.waiting.length > 0) return now
  const decided = decidedUpTo(state.anchor, state)
  const next = ticksOf(schedule, state.anchor).next(decided)
  const full = schedule.overlap === "skip" || (schedule.overlap === "buffer_one" && state.waiting.length > 0)
  return next !== undefined && situation === "running" && full ? Math.max(next, decided + quietMs) : next
}

/** Under `skip` and `buffer_one`: first what waits, then what catches up, then what is on time. */
const inTurn = (ticks: Ticks, due: Due, busy: boolean, schedule: TimedSchedule): ReadonlyArray<TickEvent> => {
  const nobodyWaits = due.waiting.length === 0
  // A tick on time that runs, or that will, does what catching up is for; so does one that waits already.
  const runsOnTime = due.onTime.length > 0 && (!busy || schedule.overlap === "buffer_one")
  const [missed, caughtUp] = catchUp(ticks, due.missed, schedule.catch_up, nobodyWaits && !runsOnTime)
  // Beyond the bound, those that waited longest have to go as well.
  const [dropped, waiting] = dropOldest(ticks, due.waiting, catchUpTicksMost - countOf(caughtUp))
  const [fromLine, inLine] = firstIf(!busy, ticks, waiting)
  const [fromMissed, behind] = firstIf(!busy && fromLine.length === 0, ticks, caughtUp)
  const free = !busy && fromLine.length === 0 && fromMissed.length === 0
  const [fromTime, others] = firstIf(free, ticks, due.onTime)
  const buffers = schedule.overlap === "buffer_one" && inLine.length === 0 && behind.length === 0
  const [buffered, overlapping] = firstIf(buffers, ticks, others)
  return [
    ...dropped.flatMap((span) => skip([span], "missed")),
    ...skip(missed, "missed"),
    ...[...fromLine, ...fromMissed, ...fromTime].map(({ first }) => trigger(first)),
    ...wait(behind),
    ...wait(buffered),
    ...skip(overlapping, "overlap")
  ]
}

/** Which missed ticks are skipped, and which are run after all; `one` only if there is need of it. */
const catchUp = (
  ticks: Ticks,
  missed: ReadonlyArray<Span>,
  policy: TimedSchedule["catch_up"],
  needed: boolean
): readonly [skipped: ReadonlyArray<Span>, caughtUp: ReadonlyArray<Span>] =>
  splitEnd(ticks, missed, policy === "all" ? catchUpTicksMost : policy === "one" && needed ? 1 : 0)

/** Under `cancel_running`: of everything due and waiting the newest runs, as soon as the one before it is stopped. */
const newestOnly = (ticks: Ticks, due: Due, busy: boolean, schedule: TimedSchedule): TickDecision => {
  const { onTime, waiting } = due
  const policy = schedule.catch_up === "skip" ? "skip" : "one"
  const [missed, caughtUp] = catchUp(ticks, due.missed, policy, onTime.length === 0)
  const fresh = onTime.length > 0 ? onTime : caughtUp
  const [outrun, newest] = splitEnd(ticks, fresh, 1)
  const events: Array<TickEvent> = []
  if (newest.length > 0) {
    events.push(...waiting.flatMap((span) => skip([span], "overlap")))
    events.push(...skip(missed, "missed"), ...skip(outrun, "overlap"))
    events.push(...(busy ? wait(newest) : [trigger(newest[0]!.first)]))
  } else {
    const [older, last] = dropOldest(ticks, waiting, 1)
    events.push(...older.flatMap((span) => skip([span], "overlap")), ...skip(missed, "missed"))
    if (!busy && last.length > 0) events.push(trigger(last[0]!.first))
  }
  return { events, cancel: busy && (newest.length > 0 || waiting.length > 0) }
}
