/**
 * What a command means at this instant: as `decide` has it, and what becomes of the ticks that are due.
 *
 * Ticks are decided by the situation they fell due in. So whenever a command changes the situation, what is
 * due up to now is decided first; between two changes everything due shares one fate and is told at the next.
 *
 * @module
 */
import { Result } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { evolve, type PipelineState } from "../../projections/PipelineState.ts"
import { decideAt, decideTicks, type TickInput } from "../schedule/decideTicks.ts"
import { reschedule } from "../schedule/reschedule.ts"
import type { Command } from "./Command.ts"
import { accept, type Decision } from "./Decision.ts"
import { decide } from "./decide.ts"
import { scheduleOf, situationOf } from "./situation.ts"

/** `now` is milliseconds since 1970. */
export const decideInTime = (command: Command, state: PipelineState, now: number): Decision => {
  if (command._tag === "Tick") return accept(...decideTicks(tickInput(state, now)).events)
  const decision = decide(command, state)
  // Batches change nothing about the schedule, and are many.
  if (command._tag === "Record" || Result.isFailure(decision) || decision.success.length === 0)
    return decision
  const events = decision.success
  const after = events.reduce(evolve, state)
  if (command._tag === "Define") return accept(...events, ...rescheduled(state, after, now))
  if (scheduleOf(state) === "manual" || situationOf(after) === situationOf(state)) return decision
  return accept(...decidedBefore(state, now), ...events)
}

/** When to look at the schedule next (ms since 1970), if nothing happens before; `undefined`: only then. */
export const nextLook = (state: PipelineState, now: number): number | undefined =>
  scheduleOf(state) === "manual" ? undefined : decideAt(tickInput(state, now))

const tickInput = (state: PipelineState, now: number): TickInput => ({
  schedule: scheduleOf(state),
  state: state.schedule,
  now,
  situation: situationOf(state)
})

/**
 * What was due before the change. A tick that is due at this very instant is left to the look that follows:
 * a command was decided on a pipeline without a trigger, and must be logged on one.
 */
const decidedBefore = (state: PipelineState, now: number): ReadonlyArray<PipelineEvent> => {
  const { events } = decideTicks(tickInput(state, now))
  return events.some(({ _tag }) => _tag === "Triggered") ? [] : events
}

const rescheduled = (
  before: PipelineState,
  after: PipelineState,
  now: number
): ReadonlyArray<PipelineEvent> =>
  reschedule({
    from: before.definition === null ? undefined : scheduleOf(before),
    to: scheduleOf(after),
    state: before.schedule,
    now,
    situation: situationOf(before)
  })
